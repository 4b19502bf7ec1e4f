/**
 * Jump is the button that leads back to the newest message: shown when something
 * came that is not in view, and as long as the newest message is not in the page.
 */
export class Jump {
  #element;
  #scroll;
  #timeline;

  /**
   * @param {HTMLAnchorElement} element
   * @param {{ scroll: import("./scroll.js").Scroll, timeline: import("./timeline.js").Timeline, now: () => Promise<void> }} options
   */
  constructor(element, { scroll, timeline, now }) {
    this.#element = element;
    this.#scroll = scroll;
    this.#timeline = timeline;
    timeline.addEventListener("unseen", () => this.#show("New messages"));
    timeline.addEventListener("trimmed", () => this.update());
    scroll.addEventListener("place", () => this.update());
    element.addEventListener("click", (event) => {
      event.preventDefault();
      document.getElementById("scroller").focus(); // The button will be gone.
      now();
    });
  }

  /** Shows what holds now. */
  update() {
    if (!this.#timeline.attached) {
      if (this.#element.hidden) this.#show("Back to now");
    } else if (this.#scroll.nearEnd) {
      this.#element.hidden = true;
    }
  }

  #show(text) {
    this.#element.hidden = false;
    this.#element.textContent = text;
  }
}
