import { composing } from "../page/keys.js";

const MOST = 8; // offered at once

/**
 * What is being written at the end of a text that can be completed: a name after "@",
 * an emoji's after ":".
 * @param {string} text up to where one writes
 * @returns {{ sign: "@" | ":", word: string, start: number } | null} start: where the sign is
 */
export function wanted(text) {
  const [, sign, word] = /(?:^|\s)([@:])([^\s@:]*)$/u.exec(text) ?? [];
  if (!sign || (sign === ":" && word.length < 2)) return null;
  return { sign, word: word.toLowerCase(), start: text.length - word.length - 1 };
}

/**
 * The names that a word may become: those that begin with it, then those that have it.
 * @param {string[]} names
 * @param {string} word in lower case
 */
export function matching(names, word) {
  const rank = (name) => {
    const at = name.toLowerCase().indexOf(word);
    return at > 0 ? 1 : at;
  };
  return [0, 1].flatMap((wanted) => names.filter((name) => rank(name) === wanted)).slice(0, MOST);
}

/** Complete offers names and emoji above the field while one writes them. */
export class Complete {
  #field;
  #people;
  #list = document.createElement("ul");
  #emoji = null;
  #wanted = null;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {() => Map<string, string>} people names, and how each is told apart
   */
  constructor(field, people) {
    this.#field = field;
    this.#people = people;
    Object.assign(this.#list, { id: "offers", className: "offers", role: "listbox", ariaLabel: "Suggestions", hidden: true });
    field.form.append(this.#list);
    field.setAttribute("aria-controls", "offers");
    field.setAttribute("aria-autocomplete", "list");
    field.addEventListener("input", () => this.#look());
    field.addEventListener("blur", () => this.#show([]));
    field.form.addEventListener("keydown", (event) => this.#key(event), true); // Before the composer sends.
    this.#list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // The field keeps the focus.
      const offer = event.target.closest("li");
      if (offer) this.#take(offer);
    });
    this.#look();
  }

  async #look() {
    const { value, selectionStart } = this.#field;
    const before = value.slice(0, selectionStart);
    this.#wanted = wanted(before);
    const named = /(?:^|\s):([\w+-]+):$/.exec(before)?.[1];
    if ((this.#wanted?.sign === ":" || named) && !this.#emoji) {
      this.#emoji = (await import("../../vendor/markdown-it-emoji-3.1.0/full.js")).default;
      return this.#look(); // More was written meanwhile, or it was sent.
    }
    if (named && this.#emoji[named]) return this.#put(selectionStart - named.length - 2, this.#emoji[named]);
    if (!this.#wanted) return this.#show([]);
    const { sign, word } = this.#wanted;
    if (sign === "@") {
      const people = this.#people();
      const names = matching([...people.keys()], word);
      const written = names.length === 1 && names[0].toLowerCase() === word; // Enter sends, then.
      this.#show(written ? [] : names.map((name) => [`@${people.get(name)}`, `@${name}`]));
    } else this.#show(matching(Object.keys(this.#emoji), word).map((name) => [`${this.#emoji[name]} ${name}`, this.#emoji[name]]));
  }

  #show(offers) {
    this.#list.replaceChildren(
      ...offers.map(([label, text], index) => {
        const offer = document.createElement("li");
        Object.assign(offer, { id: `offer-${index}`, role: "option", textContent: label, dir: "auto" });
        offer.dataset.text = text;
        return offer;
      }),
    );
    this.#list.hidden = !offers.length;
    this.#select(this.#list.firstElementChild);
  }

  #select(offer) {
    for (const one of this.#list.children) one.ariaSelected = String(one === offer);
    if (offer) this.#field.setAttribute("aria-activedescendant", offer.id);
    else this.#field.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    const selected = this.#list.querySelector("[aria-selected=true]");
    if (this.#list.hidden || composing(event) || !selected) return;
    const { key } = event;
    if (key === "ArrowDown") this.#select(selected.nextElementSibling ?? this.#list.firstElementChild);
    else if (key === "ArrowUp") this.#select(selected.previousElementSibling ?? this.#list.lastElementChild);
    else if (key === "Escape") this.#show([]);
    else if ((key === "Enter" && !event.shiftKey) || key === "Tab") this.#take(selected);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #take(offer) {
    this.#put(this.#wanted.start, offer.dataset.text);
  }

  /** Puts a text in place of what was written from a place on. */
  #put(start, text) {
    this.#field.setRangeText(`${text} `, start, this.#field.selectionStart, "end");
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
    this.#show([]);
  }
}
