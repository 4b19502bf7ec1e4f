import { decorate } from "./rows.js";

/**
 * Newline is the "New" line: above the first message that I had not read when I opened
 * the room, or looked away from it. It stays until I leave. While it is above the view a
 * link leads there.
 */
export class Newline {
  #log;
  #link;
  #scroll;
  #done = false;

  /**
   * @param {{ log: HTMLElement, link: HTMLAnchorElement, scroll: import("./scroll.js").Scroll }} options
   */
  constructor({ log, link, scroll }) {
    this.#log = log;
    this.#link = link;
    this.#scroll = scroll;
    scroll.addEventListener("place", () => this.look());
    link.addEventListener("click", (event) => {
      const line = this.#line;
      this.#done = link.hidden = true;
      if (!line) return; // It is further up than what is in the page: the link leads there.
      event.preventDefault();
      scroll.to(line);
    });
    this.look();
  }

  /** Everything up to an entry was read, and what comes now is new. @param {string} mark */
  move(mark) {
    const old = this.#line;
    this.#log.dataset.read = mark;
    decorate(old);
    this.#done = true; // The line is just below what was in view.
  }

  /** Shows or hides the link, as the line's place asks for. */
  look() {
    if (this.#done || !this.#log.dataset.read) return;
    const line = this.#line;
    this.#link.hidden = line !== null && line.getBoundingClientRect().top > this.#log.closest(".scroller").getBoundingClientRect().top;
    if (line && this.#link.hidden) this.#done = true;
  }

  get #line() {
    return this.#log.querySelector("[data-new]");
  }
}
