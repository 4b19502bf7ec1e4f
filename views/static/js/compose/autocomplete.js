import { WORD, fold } from "../messages/highlight.js";
import { isComposing } from "./composer.js";

const MAX_SUGGESTIONS = 8;

/** Matches a trigger and the word after it. No letter or digit may precede the trigger, except in scripts without spaces between words. */
const COMPLETION = new RegExp(String.raw`(?<!${WORD}|:)([@＠:])([^\s@＠:]*)$`, "u");
const EMOJI_NAME = new RegExp(String.raw`(?<!${WORD}|:):([\w+-]+):$`, "u");

/**
 * Returns the word to complete at the end of text: part of a user's name after "@", or of an
 * emoji's name after ":".
 * @param {string} text up to the caret
 * @returns {{ trigger: "@" | ":", word: string, start: number } | null} start is the position of the trigger
 */
export function completionAt(text) {
  const [, trigger, word] = COMPLETION.exec(text) ?? [];
  if (!trigger || (trigger === ":" && word.length < 2)) return null;
  return { trigger: trigger.normalize("NFKC"), word: fold(word), start: text.length - word.length - 1 };
}

/**
 * Returns the names that contain a word, starting with those that begin with it.
 * @param {string[]} names
 * @param {string} word folded
 */
export function matchNames(names, word) {
  const rank = (name) => {
    const index = fold(name).indexOf(word);
    return index > 0 ? 1 : index;
  };
  return [0, 1].flatMap((wanted) => names.filter((name) => rank(name) === wanted)).slice(0, MAX_SUGGESTIONS);
}

/** Autocomplete suggests names and emoji above the composer while the user types. */
export class Autocomplete {
  #field;
  #getLabels;
  #list = document.createElement("ul");
  /** @type {Record<string, string> | null} emoji by name, loaded on first use */
  #emoji = null;
  #completion = null;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {() => Map<string, string>} getLabels returns labels by name
   */
  constructor(field, getLabels) {
    this.#field = field;
    this.#getLabels = getLabels;
    Object.assign(this.#list, { id: "suggestions", className: "suggestions", role: "listbox", ariaLabel: "Suggestions", hidden: true });
    field.form.append(this.#list);
    field.setAttribute("aria-controls", "suggestions");
    field.setAttribute("aria-autocomplete", "list");
    field.addEventListener("input", ({ inputType }) => this.#update(inputType?.startsWith("history")));
    field.addEventListener("blur", () => this.#show([]));
    field.form.addEventListener("keydown", (event) => this.#handleKey(event), true); // in the capture phase, before the composer handles Enter
    this.#list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // keeps the focus in the field
      const suggestion = event.target.closest("li");
      if (suggestion) this.#accept(suggestion);
    });
    this.#update();
  }

  /** @param {boolean} [isUndo] whether the user has undone or redone a change, such as the insertion of an emoji */
  async #update(isUndo) {
    const { value, selectionStart } = this.#field;
    const before = value.slice(0, selectionStart);
    this.#completion = completionAt(before);
    const emojiName = EMOJI_NAME.exec(before)?.[1];
    if ((this.#completion?.trigger === ":" || emojiName) && !this.#emoji) {
      this.#emoji = (await import("../../vendor/markdown-it-emoji-3.1.0/full.js")).default;
      return this.#update(); // the text may have changed while the module loaded
    }
    if (emojiName && !isUndo && this.#emoji[emojiName]) return this.#insert(selectionStart - emojiName.length - 2, this.#emoji[emojiName]);
    if (!this.#completion) return this.#show([]);
    const { trigger, word } = this.#completion;
    if (trigger === "@") this.#showNames(word, before.slice(this.#completion.start + 1));
    else this.#show(matchNames(Object.keys(this.#emoji), word).map((name) => [`${this.#emoji[name]} ${name}`, this.#emoji[name]]));
  }

  #showNames(word, typed) {
    const labels = this.#getLabels();
    const names = matchNames([...labels.keys()], word);
    const isComplete = names.length === 1 && names[0].toLowerCase() === typed.toLowerCase(); // then Enter must send the message
    this.#show(isComplete ? [] : names.map((name) => [`@${labels.get(name)}`, `@${name}`]));
  }

  #show(suggestions) {
    this.#list.replaceChildren(
      ...suggestions.map(([label, text], index) => {
        const suggestion = document.createElement("li");
        Object.assign(suggestion, { id: `suggestion-${index}`, role: "option", textContent: label, dir: "auto", translate: false });
        suggestion.dataset.text = text;
        return suggestion;
      }),
    );
    this.#list.hidden = !suggestions.length;
    this.#select(this.#list.firstElementChild);
  }

  #select(suggestion) {
    for (const item of this.#list.children) item.ariaSelected = String(item === suggestion);
    if (suggestion) this.#field.setAttribute("aria-activedescendant", suggestion.id);
    else this.#field.removeAttribute("aria-activedescendant");
  }

  #handleKey(event) {
    const selected = this.#list.querySelector("[aria-selected=true]");
    if (this.#list.hidden || isComposing(event) || !selected) return;
    const { key } = event;
    if (key === "ArrowDown") this.#select(selected.nextElementSibling ?? this.#list.firstElementChild);
    else if (key === "ArrowUp") this.#select(selected.previousElementSibling ?? this.#list.lastElementChild);
    else if (key === "Escape") this.#show([]);
    else if ((key === "Enter" && !event.shiftKey) || key === "Tab") this.#accept(selected);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #accept(suggestion) {
    this.#insert(this.#completion.start, suggestion.dataset.text);
  }

  /** Replaces the text from a position to the caret, so that the user can undo it. */
  #insert(start, text) {
    const field = this.#field;
    field.focus();
    field.setSelectionRange(start, field.selectionStart);
    // Unlike setRangeText, insertText keeps the browser's undo history. It dispatches `input`.
    if (!document.execCommand("insertText", false, `${text} `)) {
      field.setRangeText(`${text} `, start, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.#show([]);
  }
}
