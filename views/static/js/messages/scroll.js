const NEAR_END = 100; // pixels from the end that count as near it
const SCROLL_TIMEOUT = "onscrollend" in globalThis ? 1_000 : 150; // milliseconds without a scroll event after which scrolling is assumed to have ended

/**
 * Scroll controls the scroll position of the message list. Changes to the messages run one at a
 * time in its queue. Each keeps the view where it is: at the end, or at the message being read.
 *
 * Unless the view is at the end, a change waits until scrolling has ended. Otherwise the
 * view would jump, because smooth scrolling goes to a position computed before the change.
 *
 * The scroller is laid out from its end (column-reverse): scrollTop is 0 at the newest message
 * and negative above it.
 *
 * Event: `scrolled`.
 */
export class Scroll extends EventTarget {
  #scroller;
  #queue = Promise.resolve();
  #roundingError = 0; // pixels by which the last change moved the anchor, because scrollTop is rounded
  #lastScroll = -Infinity; // time of the last scroll event
  #hasEnded = true; // whether scrollend has followed the last scroll event
  #isStill = false; // whether scrolling has ended; valid for one animation frame
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
    document.addEventListener("visibilitychange", () => this.#stopWaiting()); // a hidden page has no animation frames
    scroller.addEventListener("click", (event) => this.#toggleFold(event));
  }

  /** @returns {number} pixels below the view */
  get distanceFromEnd() {
    return Math.max(0, -this.#scroller.scrollTop);
  }

  get isNearEnd() {
    return this.distanceFromEnd < NEAR_END;
  }

  /**
   * Queues a change to the messages. If stayAtEnd returns true and the view is near the end, the
   * view moves to the end. Otherwise the first message in view, the anchor, stays in place.
   * @param {(anchor: Element | null) => void} change receives null if the view moves to the end
   * @param {{ stayAtEnd?: () => boolean, prepare?: () => Promise<void> }} [options] stayAtEnd is called when the change is
   *   about to run, and prepare when it is the next in the queue
   * @returns {Promise<void>} resolves when the change is done
   */
  change(change, { stayAtEnd = () => true, prepare } = {}) {
    return this.#enqueue(async () => {
      await prepare?.();
      while (!this.#isStill && !(stayAtEnd() && this.distanceFromEnd < 1) && !document.hidden) await this.#waitForFrames();
      const staysAtEnd = stayAtEnd() && this.isNearEnd;
      const anchor = staysAtEnd ? null : this.#firstBodyInView();
      const before = anchor?.getBoundingClientRect().top - this.#roundingError;
      change(anchor);
      this.#roundingError = 0;
      if (staysAtEnd) this.#scroller.scrollTop = 0;
      if (staysAtEnd || !anchor?.isConnected) return;
      this.#scroller.scrollTop += anchor.getBoundingClientRect().top - before;
      const error = anchor.getBoundingClientRect().top - before;
      if (Math.abs(error) < 1) this.#roundingError = error; // the next change corrects it, so that errors do not add up
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

  /** Waits for two animation frames, then sets #isStill. Scrolling after a key press may not start until the second frame. */
  async #waitForFrames() {
    const before = this.#lastScroll;
    await new Promise((resolve) => {
      this.#stopWaiting = resolve;
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    });
    this.#isStill = before === this.#lastScroll && (this.#hasEnded || performance.now() - before > SCROLL_TIMEOUT);
    requestAnimationFrame(() => (this.#isStill = false));
  }

  /** Folds or unfolds a long code block. Keeps the clicked line in place, which the layout from the end would otherwise move. */
  #toggleFold(event) {
    const summary = event.target.closest("summary");
    if (!summary) return;
    event.preventDefault();
    const before = summary.getBoundingClientRect().top;
    summary.parentElement.toggleAttribute("open");
    this.#scroller.scrollTop += summary.getBoundingClientRect().top - before;
  }

  #enqueue(work) {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Returns the first message body in view. Its article cannot be the anchor, because the heading may appear or disappear. */
  #firstBodyInView() {
    const { top } = this.#scroller.getBoundingClientRect();
    for (const body of this.#scroller.querySelectorAll("article > .body")) {
      if (body.getBoundingClientRect().bottom > top) return body;
    }
    return null;
  }
}

/**
 * JumpButton scrolls to the newest message. It appears when a message arrives below the view,
 * and whenever the newest message is not in the page.
 */
export class JumpButton {
  #element;
  #scroll;
  #timeline;

  /**
   * @param {HTMLAnchorElement} element
   * @param {{ scroll: Scroll, timeline: import("./timeline.js").Timeline, showLatest: () => Promise<void> }} options
   */
  constructor(element, { scroll, timeline, showLatest }) {
    this.#element = element;
    this.#scroll = scroll;
    this.#timeline = timeline;
    timeline.addEventListener("unseen", () => this.#show("New messages"));
    timeline.addEventListener("trimmed", () => this.update());
    scroll.addEventListener("scrolled", () => this.update());
    element.addEventListener("click", (event) => {
      event.preventDefault();
      document.getElementById("scroller").focus(); // the button is about to disappear
      showLatest();
    });
  }

  update() {
    if (!this.#timeline.attached) {
      if (this.#element.hidden) this.#show("Jump to latest");
    } else if (this.#scroll.isNearEnd) {
      this.#element.hidden = true;
    }
  }

  #show(text) {
    this.#element.hidden = false;
    this.#element.textContent = text;
  }
}
