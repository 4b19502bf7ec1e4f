const NEAR = 100; // pixels from the end within which the page follows what comes
const REST = "onscrollend" in globalThis ? 1_000 : 150; // after so long without a scroll it has ended, told or not

/**
 * Scroll owns the place in the messages. Every change of the messages is done in
 * its queue, one after another, and leaves what is being read where it is: at the
 * end, or at the message then in view. Unless that is the very end, a change waits
 * until nothing moves: a browser that glides to a place goes on to where that place
 * was, and the view would jump.
 *
 * The scroller is laid out from its end (column-reverse), so scrollTop is 0 at the
 * newest message and negative above it.
 *
 * Event: `place` when the reader moved.
 */
export class Scroll extends EventTarget {
  #scroller;
  #queue = Promise.resolve();
  #owed = 0;
  #scrolled = -Infinity; // when it did last
  #ended = true; // whether that has ended, as the browser tells
  #still = false; // whether nothing moves in this frame
  #looked = () => {}; // ends a look

  /** @param {HTMLElement} scroller */
  constructor(scroller) {
    super();
    this.#scroller = scroller;
    scroller.addEventListener("scroll", () => {
      this.#scrolled = performance.now();
      this.#ended = false;
      this.dispatchEvent(new Event("place"));
    });
    scroller.addEventListener("scrollend", () => (this.#ended = true));
    document.addEventListener("visibilitychange", () => this.#looked()); // There are no frames then.
  }

  /** Pixels below the view. */
  get fromEnd() {
    return Math.max(0, -this.#scroller.scrollTop);
  }

  get nearEnd() {
    return this.fromEnd < NEAR;
  }

  /**
   * Queues a change of the messages. With `pin` the view stays at the end if it is
   * there; otherwise the message in view stays where it is.
   * @param {(held: Element | null) => void} change held: what stays where it is; null: the end
   * @param {{ pin?: () => boolean }} [options] pin is asked when the change's turn comes
   * @returns {Promise<void>} settled when the change is done
   */
  change(change, { pin = () => true } = {}) {
    return this.#enqueue(async () => {
      while (!this.#still && !(pin() && this.fromEnd < 1) && !document.hidden) await this.#look();
      const stay = pin() && this.nearEnd;
      const anchor = stay ? null : this.#inView();
      const before = anchor?.getBoundingClientRect().top - this.#owed;
      change(anchor);
      this.#owed = 0;
      if (stay) this.#scroller.scrollTop = 0;
      if (stay || !anchor?.isConnected) return;
      this.#scroller.scrollTop += anchor.getBoundingClientRect().top - before;
      const left = anchor.getBoundingClientRect().top - before;
      if (Math.abs(left) < 1) this.#owed = left; // It scrolls by whole pixels; what is left must not add up.
    });
  }

  /** Goes to the newest message. */
  toEnd() {
    return this.#enqueue(() => {
      this.#scroller.scrollTop = 0;
    });
  }

  /** Brings an element to the middle of the view. @param {Element} element */
  to(element) {
    return this.#enqueue(() => element.scrollIntoView({ block: "center" }));
  }

  /** Finds out whether anything moves, which takes two frames: the first may not know yet of a key just pressed. */
  async #look() {
    const before = this.#scrolled;
    await new Promise((resolve) => {
      this.#looked = resolve;
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    });
    this.#still = before === this.#scrolled && (this.#ended || performance.now() - before > REST);
    requestAnimationFrame(() => (this.#still = false));
  }

  #enqueue(work) {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** What is read first: the words, for the heading above them may come or go with a neighbour. */
  #inView() {
    const { top } = this.#scroller.getBoundingClientRect();
    for (const body of this.#scroller.querySelectorAll("article > .body")) {
      if (body.getBoundingClientRect().bottom > top) return body;
    }
    return null;
  }
}
