import { timeOf } from "../net/id.js";
import { toast } from "../page/toast.js";

/**
 * Navigation goes to a message or a time in the room, fetching the messages around it if they are
 * not in the page. The address changes with it, so the place can be bookmarked, and left
 * by going back.
 */
export class Navigation {
  #path;
  #log;
  #scroll;
  #history;
  #showLatest;

  /**
   * @param {{ room: string, log: Element, scroll: import("./scroll.js").Scroll, history: import("./history.js").History,
   *   showLatest: () => void }} options
   */
  constructor({ room, log, scroll, history, showLatest }) {
    this.#path = `/r/${room}`;
    this.#log = log;
    this.#scroll = scroll;
    this.#history = history;
    this.#showLatest = showLatest;
  }

  /** Goes to the place in the address, after going back or forward. */
  goToAddress() {
    const id = location.pathname.slice(this.#path.length + 1);
    const time = timeInAddress();
    if (id) return this.#showMessage(id);
    return time ? this.#showTime(time) : this.#showLatest();
  }

  /** Reveals the message at the time in the address, around which the server rendered the page. */
  revealTime() {
    return this.#reveal(this.#firstSince(timeInAddress()));
  }

  /** @param {string} id entry ID */
  goToMessage(id) {
    this.#pushAddress(`${this.#path}/${id}`);
    return this.#showMessage(id);
  }

  /** @param {string} time in ISO format */
  goToTime(time) {
    this.#pushAddress(`${this.#path}?${new URLSearchParams({ at: time })}`);
    return this.#showTime(time);
  }

  async #showMessage(id) {
    const article = () => document.getElementById(`m${id}`);
    if (article() || (await this.#fetch({ around: id }))) await this.#reveal(article());
  }

  async #showTime(time) {
    if (await this.#fetch({ at: time })) await this.#reveal(this.#firstSince(time));
  }

  async #fetch(place) {
    try {
      return await this.#history.show(place);
    } catch {
      toast("Couldn’t load those messages. Try again in a moment.");
      return false;
    }
  }

  /** Scrolls a message into view, highlights it and focuses it. @param {HTMLElement | null | undefined} article */
  async #reveal(article) {
    if (!article) return toast("That message no longer exists.");
    for (const old of this.#log.querySelectorAll("[aria-current]")) old.removeAttribute("aria-current");
    article.tabIndex = -1;
    await this.#scroll.to(article);
    article.ariaCurrent = "true";
    article.focus({ preventScroll: true });
  }

  /** Returns the first message at or after a time, else the last one. A time without a zone is in UTC, as on the server. */
  #firstSince(text) {
    const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes("T") ? text : `${text}Z`);
    const articles = [...this.#log.querySelectorAll("article[id]")];
    return articles.find((article) => timeOf(article.id.slice(1)) >= time) ?? articles.at(-1);
  }

  #pushAddress(address) {
    if (location.pathname + location.search !== address) window.history.pushState(null, "", address);
  }
}

const timeInAddress = () => new URLSearchParams(location.search).get("at");
