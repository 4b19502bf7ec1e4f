import { backoff } from "./connection.js";
import { newKey } from "./id.js";

const ANSWER = 10_000; // how long a sent message may go unanswered
const KEPT = 23 * 3_600_000; // the server knows a key for a day: sent again later, a message might be stored twice
export const PREFIX = "burble:outbox:"; // of the name in the storage, before the room's

/**
 * @typedef {object} Item what the server has not said is stored: a message, or a change of one
 * @property {string} key the same on every attempt, so that it is stored once
 * @property {"send" | "edit" | "delete" | "react"} [type] "send" if absent
 * @property {string} [text]
 * @property {string} [reply_to]
 * @property {string} [of] entry ID of what is changed
 * @property {string} [emoji]
 * @property {boolean} [on]
 * @property {number} at when it was written, in milliseconds
 * @property {number} [tried] when it was first sent
 * @property {"waiting" | "failed"} state
 * @property {string} [why] why it failed, for people
 */

/**
 * Outbox keeps what a person wrote in a room until it is stored: over reloads,
 * crashes and days offline. Messages go out in order, one at a time.
 *
 * A page sends what it wrote, and what it found when it was opened. Two pages may
 * so send the same message; the key makes one of them.
 *
 * Events: `change` (items or reason are others), `silent` (a sent message was not
 * answered: the connection needs a look).
 */
export class Outbox extends EventTarget {
  #name;
  #storage;
  #transmit;
  #open = false;
  #inFlight = "";
  #timer = 0;
  #attempt = 0;
  #reason = "";
  #memory = "[]"; // in place of a storage that refuses
  #mine;

  /**
   * @param {string} room
   * @param {{ transmit: (frame: object) => boolean, storage?: Storage }} options
   */
  constructor(room, { transmit, storage }) {
    super();
    this.room = room;
    this.#name = PREFIX + room;
    this.#storage = storage;
    this.#transmit = ({ key, type = "send", text, reply_to, of, emoji, on }) =>
      transmit({ type, room, key, text, reply_to, of, emoji, on });
    this.#mine = new Set(this.items.map((item) => item.key));
  }

  /** The rooms in which something was left. @param {Storage} [storage] @returns {string[]} */
  static rooms(storage) {
    try {
      const names = Object.keys(storage).filter((name) => name.startsWith(PREFIX) && storage.getItem(name) !== "[]");
      return names.map((name) => name.slice(PREFIX.length));
    } catch {
      return []; // Blocked, or there is none.
    }
  }

  /** @returns {Item[]} oldest first */
  get items() {
    let text = this.#memory;
    try {
      text = this.#storage?.getItem(this.#name) ?? text;
    } catch {
      // Blocked: what is in memory has to do.
    }
    try {
      return JSON.parse(text);
    } catch {
      return [];
    }
  }

  /** @returns {"" | "away" | "full"} why messages wait although there is a connection */
  get reason() {
    return this.#reason;
  }

  /** @param {string} text @param {string} [replyTo] */
  add(text, replyTo) {
    return this.ask({ text, reply_to: replyTo });
  }

  /** @param {Partial<Item>} asked what the frame is to say, but room and key */
  ask(asked) {
    const item = { ...asked, key: newKey(), at: Date.now(), state: "waiting" };
    this.#mine.add(item.key);
    this.#save([...this.items, item]);
    this.#pump();
    return item;
  }

  /** Tries a failed message again, under its key. @param {string} key */
  retry(key) {
    this.#mine.add(key);
    this.#change(key, { state: "waiting", why: undefined, tried: undefined });
    this.#pump();
  }

  /** Forgets a message: it is stored, or its writer discards it. @param {string} key */
  settle(key) {
    const items = this.items;
    if (items.some((item) => item.key === key)) this.#save(items.filter((item) => item.key !== key));
    if (this.#inFlight === key) {
      this.#idle();
      this.#attempt = 0;
      this.#because("");
      this.#pump();
    }
  }

  /**
   * Takes the server's refusal of a send.
   * @param {{ code: string, message: string, key?: string, retry_after_ms?: number }} error
   */
  refused({ code, message, key, retry_after_ms: wait = 0 }) {
    if (!key || key !== this.#inFlight) return;
    this.#idle();
    switch (code) {
      case "rate_limited":
        return this.#pause(Math.max(wait, 250));
      case "unavailable":
      case "full":
        this.#because(code === "full" ? "full" : "away");
        return this.#pause(Math.max(wait, 1_000, backoff(++this.#attempt)));
    }
    this.#fail(key, code === "not_allowed" ? "You are not known here any more: reload the page." : message);
  }

  /** There is a connection, or reason to try again: sends what waits. */
  open() {
    this.#open = true;
    if (!this.#inFlight) this.#idle();
    this.#pump();
  }

  /** The connection is gone: what was in flight is sent again by the next one. */
  shut() {
    this.#open = false;
    this.#idle();
    this.#because("");
  }

  /** Another page changed the stored items. */
  changed() {
    this.dispatchEvent(new Event("change"));
  }

  #pump() {
    if (!this.#open || this.#inFlight || this.#timer) return;
    const next = this.items.find((item) => item.state === "waiting" && this.#mine.has(item.key));
    if (!next) return;
    const { key } = next;
    const tried = next.tried ?? Date.now();
    if (Date.now() - tried > KEPT) return this.#fail(key, "It was sent more than a day ago, and may have arrived.");
    if (!this.#transmit(next)) return;
    this.#change(key, { tried });
    this.#inFlight = key;
    this.#timer = setTimeout(() => this.dispatchEvent(new Event("silent")), ANSWER);
  }

  #fail(key, why) {
    this.#change(key, { state: "failed", why });
    this.#pump();
  }

  #change(key, to) {
    this.#save(this.items.map((item) => (item.key === key ? { ...item, ...to } : item)));
  }

  #pause(milliseconds) {
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#pump();
    }, milliseconds);
  }

  #idle() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#inFlight = "";
  }

  #because(reason) {
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.changed();
  }

  #save(items) {
    this.#memory = JSON.stringify(items);
    try {
      this.#storage?.setItem(this.#name, this.#memory);
    } catch {
      this.#storage = undefined; // Full or blocked: from here on in memory.
    }
    this.changed();
  }
}
