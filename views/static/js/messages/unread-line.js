import { compareIDs } from "../net/id.js";
import { updateRow } from "./rows.js";

/**
 * UnreadLine is the "New" line above the first message the user has not read: the first that
 * was unread when the room was opened, or that arrived while the user looked away. It stays until
 * the user leaves the room. While it is above the view, a link scrolls up to it.
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

  /** Moves the line below the last entry the user has read. @param {string} id */
  moveBelow(id) {
    const old = this.#message;
    this.#log.dataset.read = id;
    updateRow(old);
    this.#wasSeen = true; // The line is right below the messages in view.
  }

  /** Shows the link if the line is above the view. */
  update() {
    if (this.#wasSeen || !this.#log.dataset.read) return;
    const message = this.#message;
    const isPast = compareIDs(this.#timeline.newest ?? "0-0", this.#log.dataset.read) > 0; // Whether messages after the line are shown. If the line is not among them, it is above them all.
    this.#link.hidden = message ? message.getBoundingClientRect().top > this.#log.closest(".scroller").getBoundingClientRect().top : !isPast;
    if (message && this.#link.hidden) this.#wasSeen = true;
  }

  /** Reports whether the line is above the view and has not been seen. */
  get isAbove() {
    return !this.#link.hidden;
  }

  /** Returns the first unread message, above which CSS draws the line. */
  get #message() {
    return this.#log.querySelector("[data-first-unread]");
  }
}
