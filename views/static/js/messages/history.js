import { backoff } from "../net/connection.js";

const SHOW_LIMIT = 50; // messages fetched by show(): as many as the server renders on a page
const LOAD_LIMIT = 100; // messages fetched when an edge comes near the view
const LOAD_MARGIN = "1200px 0px"; // distance from the view that counts as near
const MIN_RETRY_DELAY = 3_000; // milliseconds

/**
 * History fetches older or newer messages when the user scrolls near the first or last message
 * in the page. Both edges have a link that also works without the script.
 *
 * Events: `attached` when the messages in the page reach the room's newest one (detail: the
 * cursor to follow from), and `detached` when show() has replaced them with older ones.
 */
export class History extends EventTarget {
  #path;
  #timeline;
  #observer;
  #generation = 0; // incremented when all messages are replaced, to ignore responses to earlier requests
  #failures = 0; // consecutive failed requests
  /** @type {Record<"older" | "newer", { element: Element, link: HTMLAnchorElement, from: string | null, isLoading: boolean }>} */
  #edges;

  /**
   * @param {{ room: string, timeline: import("./timeline.js").Timeline, scroller: Element, older: Element, newer: Element }} options
   */
  constructor({ room, timeline, scroller, older, newer }) {
    super();
    this.#path = `/r/${room}/messages`;
    this.#timeline = timeline;
    this.#edges = { older: makeEdge(older, "before"), newer: makeEdge(newer, "after") };
    timeline.addEventListener("trimmed", ({ detail }) => this.#setEdge(detail, timeline[detail === "older" ? "oldest" : "newest"]));
    this.#observer = new IntersectionObserver((entries) => this.#loadVisible(entries), { root: scroller, rootMargin: LOAD_MARGIN });
    for (const [direction, { element, link }] of Object.entries(this.#edges)) {
      this.#observer.observe(element);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.#load(direction);
      });
    }
  }

  /**
   * Replaces all messages with those around an entry or a time. Rejects if the request fails.
   * Resolves with false if show() was called again before the response arrived.
   * @param {{ around?: string, at?: string }} place an entry ID, a time, or neither for the newest messages
   * @returns {Promise<boolean>}
   */
  async show(place) {
    const generation = ++this.#generation;
    const page = await this.#fetch(place, SHOW_LIMIT).catch((error) => error);
    if (generation !== this.#generation) return false;
    if (page instanceof Error) throw page;
    const attach = page.newer === null;
    const updateEdges = () => {
      this.#setEdge("older", page.older, isTrimmed(page));
      this.#setEdge("newer", page.newer);
    };
    await this.#timeline.insertPage(page, { replace: true, attach, updateEdges });
    if (attach) this.#attached(page.as_of);
    else this.dispatchEvent(new Event("detached"));
    return generation === this.#generation;
  }

  /**
   * Resets the edges. Call it after replacing the messages without show().
   * @param {{ begins?: boolean, isUnknown?: boolean }} [room] begins: whether the page has the room's first message, if known;
   *   isUnknown: whether the room may have messages although the page has none
   */
  restart({ begins, isUnknown } = {}) {
    this.#generation++;
    const { oldest, firstNumber } = this.#timeline;
    begins ??= !oldest || firstNumber === 1;
    this.#setEdge("older", begins ? null : (oldest ?? null), isUnknown);
    if (isUnknown) this.#edges.older.element.querySelector("span").textContent = "The messages of this room are not saved on this device.";
    this.#setEdge("newer", null);
    this.#observeAgain("older");
  }

  async #load(direction) {
    const { from, isLoading } = this.#edges[direction];
    if (from === null || isLoading) return;
    const generation = this.#generation;
    this.#edges[direction].isLoading = true;
    try {
      const page = await this.#fetch({ [direction === "older" ? "before" : "after"]: from }, LOAD_LIMIT);
      if (generation !== this.#generation || from !== this.#edges[direction].from) return;
      await this.#insert(direction, page);
      this.#failures = 0;
    } catch ({ message: status }) {
      const retry = () => this.#observeAgain(direction);
      if (/^4(?!29)/.test(status)) return; // A retry would be refused too. The user can click the link.
      if (navigator.onLine) setTimeout(retry, Math.max(MIN_RETRY_DELAY, backoff(++this.#failures)));
      else addEventListener("online", retry, { once: true });
      return;
    } finally {
      this.#edges[direction].isLoading = false;
    }
    this.#observeAgain(direction);
  }

  async #insert(direction, page) {
    const attach = direction === "newer" && page.newer === null;
    const updateEdges = () => this.#setEdge(direction, page[direction], isTrimmed(page));
    await this.#timeline.insertPage(page, { attach, updateEdges });
    if (attach) this.#attached(page.as_of);
  }

  async #fetch(place, limit) {
    const query = new URLSearchParams({ ...place, limit, html: true });
    const response = await fetch(`${this.#path}?${query}`, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(response.status);
    const page = await response.json();
    if (page.changes) {
      const { lineOf } = await import("../rooms/changes.js");
      page.lines = page.changes.map((entry) => [lineOf(entry), entry.id]);
    }
    return page;
  }

  #attached(cursor) {
    this.dispatchEvent(new CustomEvent("attached", { detail: cursor }));
  }

  /** @param {"older" | "newer"} direction @param {string | null} from entry ID, or null for the end @param {boolean} [trimmed] whether messages beyond the end were trimmed */
  #setEdge(direction, from, trimmed = false) {
    const { element, link } = this.#edges[direction];
    this.#edges[direction].from = from;
    link.hidden = from === null;
    if (from !== null) link.search = new URLSearchParams({ [direction === "older" ? "before" : "after"]: from });
    if (direction === "newer") return;
    const endText = element.querySelector("span");
    endText.hidden = from !== null;
    this.#timeline.begins = from === null && !trimmed;
    endText.textContent = trimmed ? "Older messages are no longer available." : `This is the beginning of ${document.querySelector(".bar h1").lastChild.data}.`;
  }

  /** Makes the observer report an edge again if it is near the view. */
  #observeAgain(direction) {
    const { element } = this.#edges[direction];
    this.#observer.unobserve(element);
    this.#observer.observe(element);
  }

  #loadVisible(entries) {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) this.#load(target === this.#edges.older.element ? "older" : "newer");
    }
  }
}

/** Reports whether there is no older page because messages were trimmed. Servers of earlier releases do not send `trimmed`. */
const isTrimmed = ({ trimmed, entries }) => trimmed ?? entries[0]?.n > 1;

function makeEdge(element, parameter) {
  const link = element.querySelector("a");
  const from = link.hidden ? null : new URL(link.href).searchParams.get(parameter);
  return { element, link, from, isLoading: false };
}
