import { backoff } from "../net/connection.js";
import { newKey } from "../net/id.js";
import { keep, names, recall } from "../page/storage.js";

const ANSWER = 10_000; // how long a sent message may go unanswered
const KEPT = 23 * 3_600_000; // the server knows a key for a day: sent again later, a message might be stored twice
export const PREFIX = "burble:outbox:"; // of a name in the storage, before the room's and the key

/** The names of what a user left; without a writer is what older pages left, when a browser had but one. */
const namesOf = (me, prefix) => names(prefix).filter((name) => (JSON.parse(recall(name)).user ?? me) === me);

/**
 * @typedef {object} Item what the server has not said is stored: a message, or a change of one
 * @property {string} key the same on every attempt, so that it is stored once
 * @property {string} [user] ID of who wrote it
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
 * crashes and days offline. Messages go out in order, one at a time. What somebody else
 * left in this browser stays there until they are back.
 *
 * Each is kept under a name of its own: two pages may write at the same moment, and
 * of what one browser's pages write under one name the last is all that stays.
 *
 * A page sends what it wrote, and what it finds when it is connected. Two pages may
 * so send the same message; the key makes one of them.
 *
 * Event: `change` (items or reason are others).
 */
export class Outbox extends EventTarget {
  #name;
  #connection;
  #user;
  #open = false;
  #inFlight = "";
  #timer = 0;
  #attempt = 0;
  #reason = "";
  #mine = new Set();

  /**
   * @param {string} room
   * @param {import("../net/connection.js").Connection} connection
   * @param {string} [user] ID of who is here
   */
  constructor(room, connection, user) {
    super();
    this.room = room;
    this.#name = `${PREFIX}${room}:`;
    this.#connection = connection;
    this.#user = user;
    const when = (type, act) => connection.addEventListener(type, ({ detail }) => act(detail));
    for (const item of JSON.parse(recall(PREFIX + room) || "[]")) this.#put(item); // All in one, as pages once kept them.
    keep(PREFIX + room, "");
    when("hello", () => this.open());
    when("state", (state) => state === "catching" || state === "live" || this.shut());
    when("status", ({ redis }) => redis === "back" && this.open());
    when("stored", ({ key }) => this.settle(key));
    when("error", (error) => this.refused(error));
  }

  /** The rooms in which a user left something. @param {string} [user] @returns {string[]} */
  static rooms(user) {
    return [...new Set(namesOf(user, PREFIX).map((name) => name.split(":")[2]))];
  }

  /** @returns {Item[]} oldest first */
  get items() {
    return namesOf(this.#user, this.#name).map((name) => JSON.parse(recall(name))).sort((a, b) => a.at - b.at);
  }

  /** @returns {"" | "away" | "full"} why messages wait although there is a connection */
  get reason() {
    return this.#reason;
  }

  /** @param {Partial<Item>} asked what the frame is to say, but room and key */
  ask(asked) {
    const last = this.items.at(-1)?.at ?? 0;
    const item = { ...asked, user: this.#user, key: newKey(), at: Math.max(Date.now(), last + 1), state: "waiting" };
    this.#mine.add(item.key);
    this.#put(item);
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
    if (recall(this.#name + key)) {
      keep(this.#name + key, "");
      this.changed();
    }
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
    this.#fail(key, code === "not_allowed" ? "You’re no longer signed in. Reload the page." : message);
  }

  /** There is a connection, or reason to try again: sends what waits. */
  open() {
    this.#open = true;
    for (const { key } of this.items) this.#mine.add(key); // The page that wrote it may have been closed.
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
    if (Date.now() - tried > KEPT) return this.#fail(key, "An attempt over a day ago may have gone through.");
    const { type = "send", text, reply_to, of, emoji, on } = next;
    if (!this.#connection.send({ type, room: this.room, key, text, reply_to, of, emoji, on })) return;
    this.#change(key, { tried });
    this.#inFlight = key;
    this.#timer = setTimeout(() => {
      this.#connection.probe();
      this.#idle();
      this.#pump(); // The server may live, and have lost this one.
    }, ANSWER);
  }

  #fail(key, why) {
    this.#change(key, { state: "failed", why });
    this.#pump();
  }

  #change(key, to) {
    const item = recall(this.#name + key);
    if (item) this.#put({ ...JSON.parse(item), ...to });
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

  #put(item) {
    keep(this.#name + item.key, JSON.stringify(item));
    this.changed();
  }
}
