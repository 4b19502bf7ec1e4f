const CLOSE = 200; // how near the limit the counter shows

/** How many characters a text has, as the server counts them. @param {string} text */
export function length(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/**
 * Composer is the form a message is written in. What is written is kept as the
 * room's draft until it is sent. It is never disabled: where a message goes when
 * there is no connection is not its concern.
 */
export class Composer {
  #form;
  #text;
  #count;
  #limit;
  #draft;
  #send;
  #touch = matchMedia("(pointer: coarse)");

  /**
   * @param {HTMLFormElement} form
   * @param {{ room: string, limit: number, send: (text: string) => void }} options
   */
  constructor(form, { room, limit, send }) {
    this.#form = form;
    this.#text = form.elements.text;
    this.#count = form.querySelector("output");
    this.#limit = limit;
    this.#send = send;
    this.#draft = new Draft(`burble:draft:${room}`);
    this.#text.value ||= this.#draft.text;
    this.#text.addEventListener("input", () => this.#changed());
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#changed();
    if (!this.#touch.matches && !document.querySelector("[autofocus]")) this.#text.focus();
  }

  /** @param {number} limit most characters of a message */
  set limit(limit) {
    this.#limit = limit;
    this.#changed();
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || this.#touch.matches) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#text.value.trim();
    this.#text.focus();
    if (!text || length(text) > this.#limit) return;
    this.#text.value = "";
    this.#changed();
    this.#send(text);
  }

  #changed() {
    const { value } = this.#text;
    this.#draft.text = value;
    const left = this.#limit - length(value.trim());
    this.#count.hidden = left > CLOSE;
    this.#count.value = left < 0 ? `${-left} too many` : `${left} left`;
    this.#text.ariaInvalid = String(left < 0);
    this.#form.toggleAttribute("data-empty", !value.trim());
    this.#grow();
  }

  /** For browsers without field-sizing. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.blockSize = "auto";
    this.#text.style.blockSize = `${this.#text.scrollHeight}px`;
  }
}

/** A draft survives the page, where the browser lets it. */
class Draft {
  #name;

  constructor(name) {
    this.#name = name;
  }

  get text() {
    try {
      return localStorage.getItem(this.#name) ?? "";
    } catch {
      return "";
    }
  }

  set text(text) {
    try {
      if (text) localStorage.setItem(this.#name, text);
      else localStorage.removeItem(this.#name);
    } catch {
      // Blocked: the draft lives in the field alone.
    }
  }
}
