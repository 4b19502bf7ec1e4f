import { isComposing } from "../page/keyboard.js";

const MAX_SUGGESTIONS = 8;

/**
 * Returns the word at the end of a text that can be completed: a name after "@", or the
 * name of an emoji after ":".
 * @param {string} text up to the caret
 * @returns {{ trigger: "@" | ":", word: string, start: number } | null} start is the position of the trigger
 */
export function completionAt(text) {
  const [, trigger, word] = /(?:^|\s)([@:])([^\s@:]*)$/u.exec(text) ?? [];
  if (!trigger || (trigger === ":" && word.length < 2)) return null;
  return { trigger, word: word.toLowerCase(), start: text.length - word.length - 1 };
}

/**
 * Returns the names that contain a word, those that begin with it first.
 * @param {string[]} names
 * @param {string} word in lower case
 */
export function matchNames(names, word) {
  const rank = (name) => {
    const at = name.toLowerCase().indexOf(word);
    return at > 0 ? 1 : at;
  };
  return [0, 1].flatMap((wanted) => names.filter((name) => rank(name) === wanted)).slice(0, MAX_SUGGESTIONS);
}

/** Autocomplete suggestions names and emoji above the composer while the user types. */
export class Autocomplete {
  #field;
  #people;
  #list = document.createElement("ul");
  /** @type {Record<string, string> | null} emoji by name, loaded when first needed */
  #emoji = null;
  #completion = null;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {() => Map<string, string>} people returns the label of each name
   */
  constructor(field, people) {
    this.#field = field;
    this.#people = people;
    Object.assign(this.#list, { id: "suggestions", className: "suggestions", role: "listbox", ariaLabel: "Suggestions", hidden: true });
    field.form.append(this.#list);
    field.setAttribute("aria-controls", "suggestions");
    field.setAttribute("aria-autocomplete", "list");
    field.addEventListener("input", () => this.#update());
    field.addEventListener("blur", () => this.#show([]));
    field.form.addEventListener("keydown", (event) => this.#handleKey(event), true); // In the capture phase: before the composer handles Enter.
    this.#list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // The field keeps the focus.
      const suggestion = event.target.closest("li");
      if (suggestion) this.#accept(suggestion);
    });
    this.#update();
  }

  async #update() {
    const { value, selectionStart } = this.#field;
    const before = value.slice(0, selectionStart);
    this.#completion = completionAt(before);
    const emojiName = /(?:^|\s):([\w+-]+):$/.exec(before)?.[1];
    if ((this.#completion?.trigger === ":" || emojiName) && !this.#emoji) {
      this.#emoji = (await import("../../vendor/markdown-it-emoji-3.1.0/full.js")).default;
      return this.#update(); // The text may have changed while the module loaded.
    }
    if (emojiName && this.#emoji[emojiName]) return this.#insert(selectionStart - emojiName.length - 2, this.#emoji[emojiName]);
    if (!this.#completion) return this.#show([]);
    const { trigger, word } = this.#completion;
    if (trigger === "@") this.#showNames(word);
    else this.#show(matchNames(Object.keys(this.#emoji), word).map((name) => [`${this.#emoji[name]} ${name}`, this.#emoji[name]]));
  }

  #showNames(word) {
    const people = this.#people();
    const names = matchNames([...people.keys()], word);
    const isComplete = names.length === 1 && names[0].toLowerCase() === word; // With no suggestions, Enter sends the message.
    this.#show(isComplete ? [] : names.map((name) => [`@${people.get(name)}`, `@${name}`]));
  }

  #show(suggestions) {
    this.#list.replaceChildren(
      ...suggestions.map(([label, text], index) => {
        const suggestion = document.createElement("li");
        Object.assign(suggestion, { id: `suggestion-${index}`, role: "option", textContent: label, dir: "auto" });
        suggestion.dataset.text = text;
        return suggestion;
      }),
    );
    this.#list.hidden = !suggestions.length;
    this.#select(this.#list.firstElementChild);
  }

  #select(suggestion) {
    for (const one of this.#list.children) one.ariaSelected = String(one === suggestion);
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

  /** Replaces the text between a position and the caret. */
  #insert(start, text) {
    this.#field.setRangeText(`${text} `, start, this.#field.selectionStart, "end");
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
    this.#show([]);
  }
}
