import { names } from "../people/names.js";

const HOLD = 450; // milliseconds until a finger selects a message
const MAX_SLIP = 10; // pixels the finger may move during that time

/**
 * Toolbar offers actions on a message: one toolbar for all of them, beside the message that is
 * hovered, focused, or held with a finger. The Up and Down keys move from message to message,
 * Enter moves into the toolbar, Esc back.
 */
export class Toolbar {
  #element;
  #log;
  #column;
  #act;
  /** @type {HTMLElement | null} the message selected */
  #article = null;
  #touch = matchMedia("(pointer: coarse)");

  /**
   * @param {{ element: HTMLElement, log: HTMLElement, scroll: import("./scroll.js").Scroll,
   *   act: (name: string, article: HTMLElement, button: HTMLButtonElement) => void }} options act runs the action of a button
   */
  constructor({ element, log, scroll, act }) {
    this.#element = element;
    this.#log = log;
    this.#column = log.parentElement;
    this.#act = act;
    for (const button of [...element.querySelectorAll("button")].slice(1)) button.tabIndex = -1; // Tab stops at the first; arrow keys go on.
    this.#listen(log.closest(".scroller"), scroll);
    this.#listenToTouch();
  }

  #listen(scroller, scroll) {
    const element = this.#element;
    element.addEventListener("click", (event) => this.#handleClick(event.target.closest("button")));
    element.addEventListener("keydown", (event) => this.#handleToolbarKey(event));
    element.addEventListener("wheel", ({ deltaY }) => scroller.scrollBy(0, deltaY), { passive: true });
    scroller.addEventListener("keydown", (event) => this.#handleMessageKey(event));
    scroller.addEventListener("pointermove", (event) => {
      const article = event.pointerType === "mouse" && event.target.closest("article");
      if (article && !this.#isFocused) this.show(article);
    });
    element.parentElement.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType === "mouse" && !this.#isFocused) this.hide(); // A finger leaves whenever it is lifted.
    });
    document.addEventListener("focusin", ({ target }) => {
      const article = target.closest("#messages article");
      if (article && article !== target && target.matches(":focus-visible")) {
        this.show(article);
        target.scrollIntoView({ block: "nearest" }); // On a phone, show and hide shift the messages.
      } else if (!article && !element.contains(target)) this.hide();
    });
    document.addEventListener("pointerdown", ({ target }) => element.contains(target) || this.hide());
    scroll.addEventListener("scrolled", () => (this.#isFocused ? this.#place() : this.hide()));
  }

  /** Holding a message with a finger selects it; holding a reaction shows who reacted. */
  #listenToTouch() {
    const log = this.#log;
    let start;
    let timer = 0;
    let isHeld = false;
    const cancel = () => clearTimeout(timer);
    const handleLift = (event) => {
      if (isHeld && event.cancelable) event.preventDefault(); // The finger must not press what has appeared under it.
    };
    log.addEventListener("pointerdown", (event) => {
      cancel(); // A second finger zooms.
      isHeld = false;
      const { target } = event;
      if (!event.isPrimary || event.pointerType === "mouse" || target.closest("a, button:not(.reaction), summary")) return;
      start = event;
      target.addEventListener("touchend", handleLift, { once: true }); // Not on the log: the target may have been replaced by then.
      timer = setTimeout(() => {
        isHeld = true;
        const reaction = target.closest(".reaction");
        const article = target.closest("article");
        if (reaction) this.#act("who", article, reaction);
        else this.show(article);
      }, HOLD);
    });
    log.addEventListener("pointermove", (event) => {
      if (start && Math.hypot(event.x - start.x, event.y - start.y) > MAX_SLIP) cancel();
    });
    for (const type of ["pointerup", "pointercancel"]) log.addEventListener(type, cancel);
    log.addEventListener("contextmenu", (event) => {
      if (event.pointerType === "touch" && !event.target.closest("a")) event.preventDefault();
    });
  }

  /** Selects a message and shows the toolbar beside it. @param {HTMLElement | null} article */
  show(article) {
    if (!article?.id || "deleted" in article.dataset || "unreadable" in article.dataset) return this.hide();
    if (this.#article === article) return;
    this.hide();
    this.#article = article;
    for (const button of this.#element.querySelectorAll("[data-own]")) button.hidden = !("mine" in article.dataset);
    const link = this.#element.querySelector("a");
    const [name, time] = link.children;
    link.href = article.querySelector(".timestamp").href;
    name.textContent = names.label({ id: article.dataset.user, name: article.querySelector(".author").textContent });
    time.textContent = article.querySelector("time").title;
    article.dataset.selected = "";
    this.#element.hidden = false;
    this.#place();
  }

  hide() {
    delete this.#article?.dataset.selected;
    this.#article = null;
    this.#element.hidden = true;
    this.#column.style.translate = "";
    this.#arm(false);
  }

  get #isFocused() {
    return this.#element.contains(document.activeElement) || (this.#article !== null && this.#article === document.activeElement);
  }

  /**
   * Places the toolbar at the top edge of the message, beyond its end if there is room. On touch
   * screens CSS places it at the bottom, and the messages move up if it would cover this one.
   */
  #place() {
    if (!this.#article) return;
    if (this.#touch.matches) {
      this.#column.style.translate = "";
      const { top, bottom } = this.#article.getBoundingClientRect();
      const covered = bottom + 8 - this.#element.getBoundingClientRect().top;
      const room = top - this.#column.parentElement.getBoundingClientRect().top; // The start of a long message stays in view.
      this.#column.style.translate = `0 ${-Math.max(0, Math.min(covered, room))}px`;
      return;
    }
    const container = this.#element.parentElement.getBoundingClientRect();
    const body = this.#article.querySelector(".body").getBoundingClientRect();
    const { offsetWidth, offsetHeight, style } = this.#element;
    const left = "mine" in this.#article.dataset ? body.left + 16 - offsetWidth : body.right - 16;
    style.left = `${Math.max(8, Math.min(left - container.left, container.width - offsetWidth - 8))}px`;
    style.top = `${Math.max(4, body.top - container.top - offsetHeight + 8)}px`;
  }

  #handleClick(button) {
    if (!button || !this.#article) return;
    if (button.name === "delete" && !button.dataset.armed) return this.#arm(true);
    const article = this.#article;
    const wasFocused = this.#isFocused;
    if (button.name !== "more") this.hide();
    if (wasFocused) focus(article);
    this.#act(button.name, article, button);
  }

  /** Arms the delete button, which takes a second press. */
  #arm(isArmed) {
    const button = this.#element.querySelector("[name=delete]");
    if (!button) return;
    if (isArmed) button.dataset.armed = "yes";
    else delete button.dataset.armed;
    button.ariaLabel = button.title = isArmed ? "Delete for everyone? Press again" : "Delete";
    this.#place(); // The width has changed.
  }

  #handleToolbarKey(event) {
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

  #handleMessageKey(event) {
    const { key, shiftKey, target, currentTarget } = event;
    const article = target.closest("article");
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (target === article && (key === "Enter" || key === "ContextMenu" || (key === "F10" && shiftKey))) {
      this.show(article);
      this.#element.querySelector("button:not([hidden])").focus();
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      const fromMessage = target === article ? this.#neighbour(article, key === "ArrowUp" ? -1 : 1) : article; // From a link in it to the message itself.
      const next = article ? fromMessage : this.#lastInView(currentTarget);
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

  #lastInView(scroller) {
    const { bottom } = scroller.getBoundingClientRect();
    return [...this.#log.querySelectorAll("article[id]")].findLast((article) => article.getBoundingClientRect().top < bottom - 20);
  }
}

function focus(article) {
  article.tabIndex = -1;
  article.focus({ preventScroll: true });
}
