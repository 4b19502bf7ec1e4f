const NEAR_END = 100; // pixels from the end within which the view stays there
const SCROLL_REST = "onscrollend" in globalThis ? 1_000 : 150; // milliseconds without a scroll event after which scrolling has ended

/**
 * Scroll owns the scroll position of the message list. Every change of the messages runs in its
 * queue, one after another, without moving what the user is reading: the end, or the message
 * in view. Unless the view is at the very end, a change waits until scrolling has ended: a
 * browser that scrolls smoothly heads for the position computed before the change, and the
 * view would jump.
 *
 * The scroller is laid out from its end (column-reverse), so scrollTop is 0 at the newest
 * message and negative above it.
 *
 * Event: `scrolled`.
 */
export class Scroll extends EventTarget {
  #scroller;
  #queue = Promise.resolve();
  #remainder = 0; // pixels that scrollTop could not express
  #lastScroll = -Infinity;
  #hasEnded = true; // whether scrolling has ended, according to scrollend
  #isStill = false; // whether nothing scrolls in this frame
  #stopWaiting = () => {};

  /** @param {HTMLElement} scroller */
  constructor(scroller) {
    super();
    this.#scroller = scroller;
    scroller.addEventListener("scroll", () => {
      this.#lastScroll = performance.now();
      this.#hasEnded = false;
      this.dispatchEvent(new Event("scrolled"));
    });
    scroller.addEventListener("scrollend", () => (this.#hasEnded = true));
    document.addEventListener("visibilitychange", () => this.#stopWaiting()); // A hidden page has no animation frames.
  }

  /** @returns {number} pixels below the view */
  get distanceFromEnd() {
    return Math.max(0, -this.#scroller.scrollTop);
  }

  get isNearEnd() {
    return this.distanceFromEnd < NEAR_END;
  }

  /**
   * Queues a change of the messages. If stayAtEnd returns true and the view is near the end, it
   * stays there; otherwise the message in view, the anchor, stays where it is.
   * @param {(anchor: Element | null) => void} change anchor is null for the end
   * @param {{ stayAtEnd?: () => boolean }} [options] stayAtEnd is called when the change is about to run
   * @returns {Promise<void>} resolves when the change is done
   */
  change(change, { stayAtEnd = () => true } = {}) {
    return this.#enqueue(async () => {
      while (!this.#isStill && !(stayAtEnd() && this.distanceFromEnd < 1) && !document.hidden) await this.#waitForFrames();
      const stays = stayAtEnd() && this.isNearEnd;
      const anchor = stays ? null : this.#bodyInView();
      const before = anchor?.getBoundingClientRect().top - this.#remainder;
      change(anchor);
      this.#remainder = 0;
      if (stays) this.#scroller.scrollTop = 0;
      if (stays || !anchor?.isConnected) return;
      this.#scroller.scrollTop += anchor.getBoundingClientRect().top - before;
      const left = anchor.getBoundingClientRect().top - before;
      if (Math.abs(left) < 1) this.#remainder = left; // It scrolls by whole pixels, and errors must not add up.
    });
  }

  /** Scrolls to the newest message. */
  toEnd() {
    return this.#enqueue(() => {
      this.#scroller.scrollTop = 0;
    });
  }

  /** Scrolls an element to the middle of the view. @param {Element} element */
  to(element) {
    return this.#enqueue(() => element.scrollIntoView({ block: "center" }));
  }

  /** Sets #isStill. It takes two frames: a key just pressed may scroll only in the second. */
  async #waitForFrames() {
    const before = this.#lastScroll;
    await new Promise((resolve) => {
      this.#stopWaiting = resolve;
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    });
    this.#isStill = before === this.#lastScroll && (this.#hasEnded || performance.now() - before > SCROLL_REST);
    requestAnimationFrame(() => (this.#isStill = false));
  }

  #enqueue(work) {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Returns the first body in view. Not the article: its heading may come or go with a neighbour. */
  #bodyInView() {
    const { top } = this.#scroller.getBoundingClientRect();
    for (const body of this.#scroller.querySelectorAll("article > .body")) {
      if (body.getBoundingClientRect().bottom > top) return body;
    }
    return null;
  }
}
