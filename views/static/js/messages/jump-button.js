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
   * @param {{ scroll: import("./scroll.js").Scroll, timeline: import("./timeline.js").Timeline, showLatest: () => Promise<void> }} options
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
