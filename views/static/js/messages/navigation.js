import { timeOf } from "../net/id.js";
import { toast } from "../page/status-line.js";

/**
 * Navigation goes to a message or a time in the room, and fetches the messages around it if
 * necessary. It updates the address, so users can bookmark it and use the Back button.
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

  /** Goes to the message or time in the address. Call it after the user goes back or forward. */
  goToAddress() {
    const id = location.pathname.slice(this.#path.length + 1);
    const time = timeInAddress();
    if (id) return this.#showMessage(id);
    return time ? this.#showTime(time) : this.#showLatest();
  }

  /** Reveals the message at the time in the address. The server has rendered the messages around it. */
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

  /** Fetches the messages around a place. Returns false if that failed or was superseded. @param {{ around?: string, at?: string }} place */
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
    for (const previous of this.#log.querySelectorAll("[aria-current]")) previous.removeAttribute("aria-current");
    article.tabIndex = -1;
    await this.#scroll.to(article);
    article.ariaCurrent = "true";
    article.focus({ preventScroll: true });
  }

  /** Returns the first message at or after a time, or else the last message. Like the server, it reads a time without an offset as UTC. */
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
