import { compare } from "../net/id.js";
import { decorate } from "./rows.js";

/**
 * Newline is the "New" line: above the first message that I had not read when I opened
 * the room, or looked away from it. It stays until I leave. While it is above the view a
 * link leads there.
 */
export class Newline {
  #log;
  #link;
  #timeline;
  #done = false;

  /**
   * @param {{ log: HTMLElement, link: HTMLAnchorElement, scroll: import("./scroll.js").Scroll,
   *   timeline: import("./timeline.js").Timeline, history: import("./history.js").History }} options
   */
  constructor({ log, link, scroll, timeline, history }) {
    this.#log = log;
    this.#link = link;
    this.#timeline = timeline;
    scroll.addEventListener("place", () => this.look());
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      this.#done = link.hidden = true;
      try {
        if (!this.#line && !(await history.at({ around: log.dataset.read }))) return;
        await scroll.to(this.#line);
        this.#line.tabIndex = -1;
        this.#line.focus({ preventScroll: true }); // The link is gone.
      } catch {
        location.assign(link.href); // It could not be fetched, or its messages are gone.
      }
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
    const readOn = compare(this.#timeline.newest ?? "0-0", this.#log.dataset.read) > 0; // What is shown is after the line's place.
    this.#link.hidden = line ? line.getBoundingClientRect().top > this.#log.closest(".scroller").getBoundingClientRect().top : !readOn;
    if (line && this.#link.hidden) this.#done = true;
  }

  /** Whether the line is above the view, and was not in it. */
  get above() {
    return !this.#link.hidden;
  }

  get #line() {
    return this.#log.querySelector("[data-new]");
  }
}
