import { names } from "../people/names.js";

const HOLD = 450; // how long a finger stays before it means the message
const SLIP = 10; // and how far it may move meanwhile, in pixels

/**
 * Toolbar is what can be done with a message: one for all of them, beside the one that
 * is pointed at, focused, or held with a finger. Up and Down go from message to
 * message, Enter into the toolbar, Escape back.
 */
export class Toolbar {
  #element;
  #log;
  #column;
  #act;
  /** @type {HTMLElement | null} */
  #article = null;
  #held = 0;
  #touch = matchMedia("(pointer: coarse)");

  /**
   * @param {{ element: HTMLElement, log: HTMLElement, scroll: import("./scroll.js").Scroll,
   *   act: (name: string, article: HTMLElement, button: HTMLButtonElement) => void }} options act: does what a button says
   */
  constructor({ element, log, scroll, act }) {
    this.#element = element;
    this.#log = log;
    this.#column = log.parentElement;
    this.#act = act;
    const scroller = log.closest(".scroller");
    const within = (event) => element.contains(event.target);
    for (const button of [...element.querySelectorAll("button")].slice(1)) button.tabIndex = -1; // One stop of the Tab key.
    element.addEventListener("click", (event) => this.#click(event.target.closest("button")));
    element.addEventListener("keydown", (event) => this.#steer(event));
    element.addEventListener("wheel", ({ deltaY }) => scroller.scrollBy(0, deltaY), { passive: true });
    scroller.addEventListener("keydown", (event) => this.#walk(event));
    scroller.addEventListener("pointermove", (event) => {
      const article = event.pointerType === "mouse" && event.target.closest("article");
      if (article && !this.#focused) this.show(article);
    });
    element.parentElement.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType === "mouse" && !this.#focused) this.hide(); // A finger leaves whenever it is lifted.
    });
    document.addEventListener("focusin", (event) => {
      const article = event.target.closest("#messages article");
      if (article && article !== event.target && event.target.matches(":focus-visible")) {
        this.show(article);
        event.target.scrollIntoView({ block: "nearest" }); // The messages may have moved for the last one, and back.
      } else if (!article && !within(event)) this.hide();
    });
    scroll.addEventListener("place", () => (this.#focused ? this.#place() : this.hide()));

    // A finger.
    let from;
    let holds = false; // whether it stayed
    const release = () => clearTimeout(this.#held);
    const lift = (event) => {
      if (holds && event.cancelable) event.preventDefault(); // Lifted, it does not press what has appeared under it.
    };
    log.addEventListener("pointerdown", (event) => {
      release(); // Two fingers mean the page: they make it larger.
      holds = false;
      if (!event.isPrimary || event.pointerType === "mouse" || event.target.closest("a, button:not(.chip), summary")) return;
      from = event;
      event.target.addEventListener("touchend", lift, { once: true }); // It may be out of the page by then: a chip is made anew.
      this.#held = setTimeout(() => {
        holds = true;
        const chip = event.target.closest(".chip");
        const article = event.target.closest("article");
        if (chip) act("who", article, chip);
        else this.show(article);
      }, HOLD);
    });
    log.addEventListener("pointermove", (event) => {
      if (from && Math.hypot(event.x - from.x, event.y - from.y) > SLIP) release();
    });
    for (const type of ["pointerup", "pointercancel"]) log.addEventListener(type, release);
    log.addEventListener("contextmenu", (event) => {
      if (event.pointerType === "touch" && !event.target.closest("a")) event.preventDefault();
    });
    document.addEventListener("pointerdown", (event) => within(event) || this.hide());
  }

  /** @param {HTMLElement | null} article */
  show(article) {
    if (!article?.id || "deleted" in article.dataset || "unreadable" in article.dataset) return this.hide();
    if (this.#article === article) return;
    this.hide();
    this.#article = article;
    for (const button of this.#element.querySelectorAll("[data-own]")) button.hidden = !("mine" in article.dataset);
    const link = this.#element.querySelector("a");
    const [name, time] = link.children;
    link.href = article.querySelector(".when").href;
    name.textContent = names.of({ id: article.dataset.user, name: article.querySelector(".author").textContent });
    time.textContent = article.querySelector("time").title;
    article.dataset.meant = "";
    this.#element.hidden = false;
    this.#place();
  }

  hide() {
    delete this.#article?.dataset.meant;
    this.#article = null;
    this.#element.hidden = true;
    this.#column.style.translate = "";
    this.#arm(false);
  }

  get #focused() {
    return this.#element.contains(document.activeElement) || (this.#article !== null && this.#article === document.activeElement);
  }

  /**
   * On the upper edge of the message, beyond its end where there is room. On a phone the
   * style has it below, and the messages make room for it.
   */
  #place() {
    if (!this.#article) return;
    if (this.#touch.matches) {
      this.#column.style.translate = "";
      const { top, bottom } = this.#article.getBoundingClientRect();
      const over = bottom + 8 - this.#element.getBoundingClientRect().top;
      const room = top - this.#column.parentElement.getBoundingClientRect().top; // A long one is seen from its beginning.
      this.#column.style.translate = `0 ${-Math.max(0, Math.min(over, room))}px`;
      return;
    }
    const all = this.#element.parentElement.getBoundingClientRect();
    const body = this.#article.querySelector(".body").getBoundingClientRect();
    const { offsetWidth, offsetHeight, style } = this.#element;
    const start = "mine" in this.#article.dataset ? body.left + 16 - offsetWidth : body.right - 16;
    style.left = `${Math.max(8, Math.min(start - all.left, all.width - offsetWidth - 8))}px`;
    style.top = `${Math.max(4, body.top - all.top - offsetHeight + 8)}px`;
  }

  #click(button) {
    if (!button || !this.#article) return;
    if (button.name === "delete" && !button.dataset.armed) return this.#arm(true);
    const article = this.#article;
    const focused = this.#focused;
    if (button.name !== "more") this.hide();
    if (focused) focus(article);
    this.#act(button.name, article, button);
  }

  /** Deleting takes a second press. */
  #arm(armed) {
    const button = this.#element.querySelector("[name=delete]");
    if (!button) return;
    if (armed) button.dataset.armed = "yes";
    else delete button.dataset.armed;
    button.ariaLabel = button.title = armed ? "Delete for everyone? Press again" : "Delete";
    this.#place(); // It says so, and is wider.
  }

  /** Keys within the toolbar. */
  #steer(event) {
    const { key } = event;
    const buttons = [...this.#element.querySelectorAll("button:not([hidden])")];
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[key];
    if (to !== undefined) buttons.at(to % buttons.length).focus();
    else if (key === "Escape") focus(this.#article);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Keys among the messages. */
  #walk(event) {
    const { key, shiftKey, target, currentTarget } = event;
    const article = target.closest("article");
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (target === article && (key === "Enter" || key === "ContextMenu" || (key === "F10" && shiftKey))) {
      this.show(article);
      this.#element.querySelector("button:not([hidden])").focus();
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      const out = target === article ? this.#neighbour(article, key === "ArrowUp" ? -1 : 1) : article; // From a link, to its message.
      const next = article ? out : this.#inView(currentTarget);
      if (!next) return;
      focus(next);
      this.show(next);
      next.scrollIntoView({ block: "nearest" });
    } else {
      return;
    }
    event.preventDefault();
  }

  #neighbour(article, step) {
    const articles = [...this.#log.querySelectorAll("article[id]")];
    return articles[articles.indexOf(article) + step];
  }

  #inView(scroller) {
    const { bottom } = scroller.getBoundingClientRect();
    return [...this.#log.querySelectorAll("article[id]")].findLast((article) => article.getBoundingClientRect().top < bottom - 20);
  }
}

function focus(article) {
  article.tabIndex = -1;
  article.focus({ preventScroll: true });
}
