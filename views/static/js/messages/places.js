import { timeOf } from "../net/id.js";
import { say } from "../page/say.js";

/**
 * Places goes to a message or a moment of the room: in the page, or fetched into it. The
 * address is that of the place, so that it can be kept, and left again by going back.
 */
export class Places {
  #path;
  #log;
  #scroll;
  #history;

  /**
   * @param {{ room: string, log: Element, scroll: import("./scroll.js").Scroll, history: import("./history.js").History,
   *   now: () => void }} options
   */
  constructor({ room, log, scroll, history, now }) {
    this.#path = `/r/${room}`;
    this.#log = log;
    this.#scroll = scroll;
    this.#history = history;
    const arrive = () => {
      const id = location.pathname.slice(this.#path.length + 1);
      const at = new URLSearchParams(location.search).get("at");
      if (id) this.#message(id);
      else if (at) this.#moment(at);
      else now();
    };
    addEventListener("popstate", arrive);
    const at = new URLSearchParams(location.search).get("at");
    if (at) this.#look(this.#since(at));
  }

  /** @param {string} id entry ID */
  message(id) {
    this.#push(`${this.#path}/${id}`);
    return this.#message(id);
  }

  /** @param {string} at a time, as an address has it */
  moment(at) {
    this.#push(`${this.#path}?${new URLSearchParams({ at })}`);
    return this.#moment(at);
  }

  /** Brings a message into view, and makes it known. @param {HTMLElement | null | undefined} article */
  #look(article) {
    if (!article) return say("That message is no longer available.");
    for (const old of this.#log.querySelectorAll("[aria-current]")) old.removeAttribute("aria-current");
    article.tabIndex = -1;
    return this.#scroll.to(article).then(() => {
      article.ariaCurrent = "true";
      article.focus({ preventScroll: true });
    });
  }

  async #message(id) {
    const article = () => document.getElementById(`m${id}`);
    if (article() || (await this.#fetch({ around: id }))) await this.#look(article());
  }

  async #moment(at) {
    if (await this.#fetch({ at })) await this.#look(this.#since(at));
  }

  async #fetch(place) {
    try {
      return await this.#history.at(place);
    } catch {
      say("Couldn’t load those messages. Try again in a moment.");
      return false;
    }
  }

  /** The first message at or after a time, else the last one. Without a zone it is UTC, as for the server. */
  #since(at) {
    const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(at) || !at.includes("T") ? at : `${at}Z`);
    const articles = [...this.#log.querySelectorAll("article[id]")];
    return articles.find((article) => timeOf(article.id.slice(1)) >= time) ?? articles.at(-1);
  }

  #push(path) {
    if (location.pathname + location.search !== path) window.history.pushState(null, "", path);
  }
}
