import { compareIDs } from "../net/id.js";
import { updateRow } from "./rows.js";

/**
 * UnreadLine is the "New" line above the first message that was unread when the user opened the
 * room, or looked away from it. It stays until the user leaves. While it is above the
 * view, a link leads to it.
 */
export class UnreadLine {
  #log;
  #link;
  #timeline;
  #wasSeen = false;

  /**
   * @param {{ log: HTMLElement, link: HTMLAnchorElement, scroll: import("./scroll.js").Scroll,
   *   timeline: import("./timeline.js").Timeline, history: import("./history.js").History }} options
   */
  constructor({ log, link, scroll, timeline, history }) {
    this.#log = log;
    this.#link = link;
    this.#timeline = timeline;
    scroll.addEventListener("scrolled", () => this.update());
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      this.#wasSeen = link.hidden = true;
      try {
        if (!this.#message && !(await history.show({ around: log.dataset.read }))) return;
        await scroll.to(this.#message);
        this.#message.tabIndex = -1;
        this.#message.focus({ preventScroll: true }); // The link, which had the focus, is hidden.
      } catch {
        location.assign(link.href); // The messages could not be fetched, or are gone.
      }
    });
    this.update();
  }

  /** Moves the line below an entry: everything up to it was read. @param {string} id */
  moveBelow(id) {
    const old = this.#message;
    this.#log.dataset.read = id;
    updateRow(old);
    this.#wasSeen = true; // The line is right below what is in view.
  }

  /** Shows the link if the line is above the view. */
  update() {
    if (this.#wasSeen || !this.#log.dataset.read) return;
    const message = this.#message;
    const isPast = compareIDs(this.#timeline.newest ?? "0-0", this.#log.dataset.read) > 0; // Without the line, all messages shown are after it.
    this.#link.hidden = message ? message.getBoundingClientRect().top > this.#log.closest(".scroller").getBoundingClientRect().top : !isPast;
    if (message && this.#link.hidden) this.#wasSeen = true;
  }

  /** Whether the line is above the view and has not been seen. */
  get isAbove() {
    return !this.#link.hidden;
  }

  /** The first unread message, which carries the line. */
  get #message() {
    return this.#log.querySelector("[data-new]");
  }
}
