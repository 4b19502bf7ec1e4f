import { compareIDs } from "../net/id.js";
import { updateRow } from "./rows.js";

/**
 * UnreadLine is the "New" line above the first unread message: the first one that was unread when
 * the user opened the room, or that arrived while they were not looking. The line stays until the
 * user leaves the room. While it is above the view, a link scrolls up to it.
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
        this.#message.focus({ preventScroll: true }); // the link that had the focus is now hidden
      } catch {
        location.assign(link.href); // the messages could not be fetched, or no longer exist
      }
    });
    this.update();
  }

  /** Moves the line below the entry up to which the user has read the room. @param {string} id */
  moveTo(id) {
    const previous = this.#message;
    this.#log.dataset.read = id;
    updateRow(previous);
    this.#wasSeen = true; // the line is just below the messages in view
  }

  /** Shows the link if the line is above the view and has not been seen. */
  update() {
    if (this.#wasSeen || !this.#log.dataset.read) return;
    const message = this.#message;
    const isAbove = message
      ? message.getBoundingClientRect().top <= this.#log.closest(".scroller").getBoundingClientRect().top
      : compareIDs(this.#timeline.newest ?? "0-0", this.#log.dataset.read) > 0; // only messages below the line are in the page
    this.#link.hidden = !isAbove;
    if (message && !isAbove) this.#wasSeen = true;
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
