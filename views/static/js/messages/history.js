import { backoff } from "../net/connection.js";

const PAGE = 50; // messages around a place, as many as the server shows of a room
const MORE = 100; // messages beyond an edge
const AHEAD = "1200px 0px"; // how far outside the view an edge starts to load
const AGAIN = 3_000; // how long to wait at least after a page could not be had

/**
 * History fetches what lies beyond the messages shown, in both directions, when the
 * reader comes near that edge. Each edge is a link that also works by itself.
 *
 * Events: `live` (detail: the cursor to follow from) when the messages reach the
 * room's end; `past` when others were shown in their place, which do not.
 */
export class History extends EventTarget {
  #path;
  #timeline;
  #observer;
  #generation = 0;
  #failed = 0; // how often in a row
  /** @type {Record<"older" | "newer", { element: Element, link: HTMLAnchorElement, from: string | null, loading: boolean }>} */
  #edges;

  /**
   * @param {{ room: string, timeline: import("./timeline.js").Timeline, scroller: Element, older: Element, newer: Element }} options
   */
  constructor({ room, timeline, scroller, older, newer }) {
    super();
    this.#path = `/r/${room}/messages`;
    this.#timeline = timeline;
    this.#edges = { older: edge(older, "before"), newer: edge(newer, "after") };
    timeline.addEventListener("trimmed", ({ detail }) => this.#set(detail, timeline[detail === "older" ? "oldest" : "newest"]));
    this.#observer = new IntersectionObserver((changes) => this.#near(changes), { root: scroller, rootMargin: AHEAD });
    for (const [direction, { element, link }] of Object.entries(this.#edges)) {
      this.#observer.observe(element);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.#load(direction);
      });
    }
  }

  /** Shows the newest messages in place of all others; as at() does. */
  now() {
    return this.at({});
  }

  /**
   * Shows the messages around a place in place of all others. Rejects when they cannot be had.
   * Tells whether it did: not when another place was asked for meanwhile.
   * @param {{ around?: string, at?: string }} place an entry ID or a time; neither: the room's end
   * @returns {Promise<boolean>}
   */
  async at(place) {
    const generation = ++this.#generation;
    const page = await this.#fetch(place, PAGE).catch((error) => error);
    if (generation !== this.#generation) return false;
    if (page instanceof Error) throw page;
    const attach = page.newer === null;
    const edges = () => {
      this.#set("older", page.older, page.entries[0]?.n === 1);
      this.#set("newer", page.newer);
    };
    await this.#timeline.page(page.entries, page.as_of, { replace: true, attach, edges });
    if (attach) this.dispatchEvent(new CustomEvent("live", { detail: page.as_of }));
    else this.dispatchEvent(new Event("past"));
    return generation === this.#generation;
  }

  /** The messages were replaced by others: what lies before the oldest is asked for anew. */
  restart() {
    this.#generation++;
    this.#set("older", this.#timeline.oldest ?? null);
    this.#set("newer", null);
    this.#look("older");
  }

  async #load(direction) {
    const { from, loading } = this.#edges[direction];
    if (from === null || loading) return;
    const generation = this.#generation;
    this.#edges[direction].loading = true;
    try {
      const page = await this.#fetch({ [direction === "older" ? "before" : "after"]: from }, MORE);
      if (generation !== this.#generation || from !== this.#edges[direction].from) return;
      await this.#take(direction, page);
      this.#failed = 0;
    } catch ({ message }) {
      const look = () => this.#look(direction);
      if (/^4(?!29)/.test(message)) return; // It would be refused again; the link is there.
      if (navigator.onLine) setTimeout(look, Math.max(AGAIN, backoff(++this.#failed)));
      else addEventListener("online", look, { once: true });
      return;
    } finally {
      this.#edges[direction].loading = false;
    }
    this.#look(direction);
  }

  async #take(direction, page) {
    const attach = direction === "newer" && page.newer === null;
    const edges = () => this.#set(direction, page[direction], direction === "older" && page.entries[0]?.n === 1);
    await this.#timeline.page(page.entries, page.as_of, { attach, edges });
    if (attach) this.dispatchEvent(new CustomEvent("live", { detail: page.as_of }));
  }

  async #fetch(place, limit) {
    const query = new URLSearchParams({ ...place, limit, html: true });
    const response = await fetch(`${this.#path}?${query}`, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`${response.status} for ${query}`);
    return response.json();
  }

  #set(direction, from, beginning = false) {
    const { element, link } = this.#edges[direction];
    this.#edges[direction].from = from;
    link.hidden = from === null;
    if (from !== null) link.search = new URLSearchParams({ [direction === "older" ? "before" : "after"]: from });
    const end = element.querySelector("span");
    if (!end) return;
    end.hidden = from !== null;
    end.textContent = beginning ? `This is the beginning of ${document.body.dataset.room}.` : "Older messages are no longer available.";
  }

  /** Has the observer tell again whether an edge is near. */
  #look(direction) {
    const { element } = this.#edges[direction];
    this.#observer.unobserve(element);
    this.#observer.observe(element);
  }

  #near(changes) {
    for (const { isIntersecting, target } of changes) {
      if (isIntersecting) this.#load(target === this.#edges.older.element ? "older" : "newer");
    }
  }
}

function edge(element, parameter) {
  const link = element.querySelector("a");
  const from = link.hidden ? null : new URL(link.href).searchParams.get(parameter);
  return { element, link, from, loading: false };
}
