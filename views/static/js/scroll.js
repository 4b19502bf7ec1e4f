const NEAR = 100; // pixels from the end within which the page follows what comes

/**
 * Scroll owns the place in the messages. Every change of the messages is done in
 * its queue, one after another, and leaves what is being read where it is: at the
 * end, or at the message then in view.
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

  /** @param {HTMLElement} scroller */
  constructor(scroller) {
    super();
    this.#scroller = scroller;
    scroller.addEventListener("scroll", () => this.dispatchEvent(new Event("place")), { passive: true });
  }

  /** Pixels below the view. */
  get fromEnd() {
    return Math.max(0, -this.#scroller.scrollTop);
  }

  /** Pixels above the view. */
  get fromStart() {
    return this.#scroller.scrollHeight - this.#scroller.clientHeight - this.fromEnd;
  }

  get nearEnd() {
    return this.fromEnd < NEAR;
  }

  /**
   * Queues a change of the messages. With `pin` the view stays at the end if it is
   * there; otherwise the message in view stays where it is.
   * @param {() => void} change
   * @param {{ pin?: () => boolean }} [options] pin is asked when the change's turn comes
   * @returns {Promise<void>} settled when the change is done
   */
  change(change, { pin = () => true } = {}) {
    return this.#enqueue(() => {
      const stay = pin() && this.nearEnd;
      const anchor = stay ? null : this.#inView();
      const before = anchor?.getBoundingClientRect().top - this.#owed;
      change();
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

  #enqueue(work) {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  #inView() {
    const top = this.#scroller.getBoundingClientRect().top;
    for (const article of this.#scroller.querySelectorAll("article")) {
      if (article.getBoundingClientRect().bottom > top) return article;
    }
    return null;
  }
}
