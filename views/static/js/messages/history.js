import { backoff } from "../net/connection.js";

const AROUND = 50; // messages fetched around a place, as many as a page of the server has
const MORE = 100; // messages fetched beyond an edge
const LOAD_AHEAD = "1200px 0px"; // how far outside the view an edge starts to load
const MIN_RETRY = 3_000;

/**
 * History fetches older and newer messages when the reader comes near that edge of the
 * messages shown. Each edge is a link, which works without the script too.
 *
 * Events: `attached` (detail: the cursor to follow from) when the messages reach the room's
 * end; `detached` when they were replaced by others that do not.
 */
export class History extends EventTarget {
  #path;
  #timeline;
  #observer;
  #generation = 0; // counts replacements of all messages; a response to an older request is ignored
  #failures = 0; // failed requests in a row
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
    this.#observer = new IntersectionObserver((entries) => this.#loadVisible(entries), { root: scroller, rootMargin: LOAD_AHEAD });
    for (const [direction, { element, link }] of Object.entries(this.#edges)) {
      this.#observer.observe(element);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.#load(direction);
      });
    }
  }

  /** Replaces all messages by the newest ones, like show(). */
  showLatest() {
    return this.show({});
  }

  /**
   * Replaces all messages by those around a place. Rejects if they cannot be fetched. Resolves
   * with false if another place was requested before they arrived.
   * @param {{ around?: string, at?: string }} place an entry ID or a time; neither means the room's end
   * @returns {Promise<boolean>}
   */
  async show(place) {
    const generation = ++this.#generation;
    const page = await this.#fetch(place, AROUND).catch((error) => error);
    if (generation !== this.#generation) return false;
    if (page instanceof Error) throw page;
    const attach = page.newer === null;
    const updateEdges = () => {
      this.#setEdge("older", page.older, page.entries[0]?.n === 1);
      this.#setEdge("newer", page.newer);
    };
    await this.#timeline.insertPage(page.entries, page.as_of, { replace: true, attach, updateEdges });
    if (attach) this.#attached(page.as_of);
    else this.dispatchEvent(new Event("detached"));
    return generation === this.#generation;
  }

  /** Starts over after the messages were replaced by something other than show(). */
  restart() {
    this.#generation++;
    this.#setEdge("older", this.#timeline.oldest ?? null);
    this.#setEdge("newer", null);
    this.#observeAgain("older");
  }

  async #load(direction) {
    const { from, isLoading } = this.#edges[direction];
    if (from === null || isLoading) return;
    const generation = this.#generation;
    this.#edges[direction].isLoading = true;
    try {
      const page = await this.#fetch({ [direction === "older" ? "before" : "after"]: from }, MORE);
      if (generation !== this.#generation || from !== this.#edges[direction].from) return;
      await this.#insert(direction, page);
      this.#failures = 0;
    } catch ({ message }) {
      const retry = () => this.#observeAgain(direction);
      if (/^4(?!29)/.test(message)) return; // The server would refuse again. The link remains.
      if (navigator.onLine) setTimeout(retry, Math.max(MIN_RETRY, backoff(++this.#failures)));
      else addEventListener("online", retry, { once: true });
      return;
    } finally {
      this.#edges[direction].isLoading = false;
    }
    this.#observeAgain(direction);
  }

  async #insert(direction, page) {
    const attach = direction === "newer" && page.newer === null;
    const updateEdges = () => this.#setEdge(direction, page[direction], direction === "older" && page.entries[0]?.n === 1);
    await this.#timeline.insertPage(page.entries, page.as_of, { attach, updateEdges });
    if (attach) this.#attached(page.as_of);
  }

  async #fetch(place, limit) {
    const query = new URLSearchParams({ ...place, limit, html: true });
    const response = await fetch(`${this.#path}?${query}`, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`${response.status} for ${query}`);
    return response.json();
  }

  #attached(cursor) {
    this.dispatchEvent(new CustomEvent("attached", { detail: cursor }));
  }

  #setEdge(direction, from, isBeginning = false) {
    const { element, link } = this.#edges[direction];
    this.#edges[direction].from = from;
    link.hidden = from === null;
    if (from !== null) link.search = new URLSearchParams({ [direction === "older" ? "before" : "after"]: from });
    const end = element.querySelector("span");
    if (!end) return;
    end.hidden = from !== null;
    end.textContent = isBeginning ? `This is the beginning of ${document.body.dataset.room}.` : "Older messages are no longer available.";
  }

  /** Makes the observer report again whether an edge is near the view. */
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

function makeEdge(element, parameter) {
  const link = element.querySelector("a");
  const from = link.hidden ? null : new URL(link.href).searchParams.get(parameter);
  return { element, link, from, isLoading: false };
}
