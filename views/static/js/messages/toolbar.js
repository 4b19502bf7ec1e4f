import { names } from "../people/names.js";

const LONG_PRESS = 450; // milliseconds
const MAX_MOVE = 10; // pixels that the finger may move during a long press

/**
 * Toolbar offers actions on the selected message: the one that the user hovers over,
 * focuses or long-presses. The Up and Down keys move from message to message. Enter moves the
 * focus into the toolbar, and Esc moves it back.
 */
export class Toolbar {
  #element;
  #log;
  #column;
  #runAction;
  /** @type {HTMLElement | null} the selected message */
  #article = null;
  #touch = matchMedia("(pointer: coarse)");

  /**
   * @param {{ element: HTMLElement, log: HTMLElement, scroll: import("./scroll.js").Scroll,
   *   runAction: (name: string, article: HTMLElement, button: HTMLButtonElement) => void }} options
   */
  constructor({ element, log, scroll, runAction }) {
    this.#element = element;
    this.#log = log;
    this.#column = log.parentElement;
    this.#runAction = runAction;
    for (const button of [...element.querySelectorAll("button")].slice(1)) button.tabIndex = -1; // Tab stops only at the first button; arrow keys reach the others
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
      if (pointerType === "mouse" && !this.#isFocused) this.hide(); // on touch screens, lifting the finger also dispatches this event
    });
    document.addEventListener("focusin", ({ target }) => {
      const article = target.closest("#messages article");
      if (article && article !== target && target.matches(":focus-visible")) {
        this.show(article);
        target.scrollIntoView({ block: "nearest" }); // on a phone, show and hide move the messages
      } else if (!article && !element.contains(target)) this.hide();
    });
    document.addEventListener("pointerdown", ({ target }) => element.contains(target) || this.hide());
    scroll.addEventListener("scrolled", () => (this.#isFocused ? this.#place() : this.hide()));
  }

  /** Handles long presses: on a message, they select it; on a reaction, they show who reacted. */
  #listenToTouch() {
    const log = this.#log;
    let start;
    let timer = 0;
    let isLongPress = false;
    const cancel = () => clearTimeout(timer);
    const handleLift = (event) => {
      if (isLongPress && event.cancelable) event.preventDefault(); // otherwise lifting the finger would click the toolbar that appeared under it
    };
    log.addEventListener("pointerdown", (event) => {
      cancel(); // a second finger zooms
      isLongPress = false;
      const { target } = event;
      if (!event.isPrimary || event.pointerType === "mouse" || target.closest("a:not(.picture), button:not(.reaction), summary")) return;
      start = event;
      target.addEventListener("touchend", handleLift, { once: true }); // the event does not reach the log if the target has been removed
      timer = setTimeout(() => {
        isLongPress = true;
        const reaction = target.closest(".reaction");
        const article = target.closest("article");
        if (reaction) this.#runAction("users", article, reaction);
        else this.show(article);
      }, LONG_PRESS);
    });
    log.addEventListener("pointermove", (event) => {
      if (start && Math.hypot(event.x - start.x, event.y - start.y) > MAX_MOVE) cancel();
    });
    for (const type of ["pointerup", "pointercancel"]) log.addEventListener(type, cancel);
    log.addEventListener("contextmenu", (event) => {
      if (event.pointerType === "touch" && !event.target.closest("a:not(.picture)")) event.preventDefault();
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
   * Places the toolbar at the top edge of the message, beside its text if there is space. On touch
   * screens, CSS places it at the bottom of the screen, and the messages move up if it would cover
   * the selected one.
   */
  #place() {
    if (!this.#article) return;
    if (this.#touch.matches) {
      this.#column.style.translate = "";
      const { top, bottom } = this.#article.getBoundingClientRect();
      const covered = bottom + 8 - this.#element.getBoundingClientRect().top;
      const maxShift = top - this.#column.parentElement.getBoundingClientRect().top; // keeps the start of a long message in view
      this.#column.style.translate = `0 ${-Math.max(0, Math.min(covered, maxShift))}px`;
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
    if (button.name !== "emoji") this.hide();
    if (wasFocused) focus(article);
    this.#runAction(button.name, article, button);
  }

  /** Arms or disarms the delete button. Only an armed button deletes. */
  #arm(isArmed) {
    const button = this.#element.querySelector("[name=delete]");
    if (!button) return;
    if (isArmed) button.dataset.armed = "yes";
    else delete button.dataset.armed;
    button.ariaLabel = button.title = isArmed ? "Delete for everyone? Press again" : "Delete";
    this.#place(); // the width of the toolbar has changed
  }

  #handleToolbarKey(event) {
    const { key } = event;
    const buttons = [...this.#element.querySelectorAll("button:not([hidden])")];
    const index = buttons.indexOf(document.activeElement);
    const newIndex = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: -1 }[key];
    if (newIndex !== undefined) buttons.at(newIndex % buttons.length).focus();
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
      const fromMessage = target === article ? this.#neighbor(article, key === "ArrowUp" ? -1 : 1) : article; // from a link in a message, the first press selects that message
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

  #neighbor(article, step) {
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
