import { backoff } from "../net/connection.js";
import { newKey } from "../net/id.js";
import { keysWithPrefix, load, loadJSON, save } from "../page/storage.js";

const REPLY_TIMEOUT = 10_000; // milliseconds
const MAX_RETRY_TIME = 23 * 3_600_000; // milliseconds; the server forgets an idempotency key after a day, and would store a later retry again. The margin is for servers whose clocks differ

const UPLOAD_RETRY = 5_000; // milliseconds

const loadUploads = () => import("./uploads.js").catch(() => ({})); // an empty object if the module cannot be loaded

/** The prefix of storage keys. The room and the idempotency key follow. */
export const OUTBOX_PREFIX = "burble:outbox:";

/** Returns the storage keys of a user's items. Items that an older release stored have no user, and count as every user's. */
const itemKeys = (user, prefix) => keysWithPrefix(prefix).filter((key) => {
  const item = loadJSON(key);
  return (item?.key || Array.isArray(item)) && (item.user ?? user) === user; // older releases stored a list
});

/**
 * @typedef {object} Item a message, or a change to one, that the server has not confirmed as stored
 * @property {string} key idempotency key, the same on every attempt, so that the item is stored once
 * @property {string} [user] ID of its author
 * @property {"send" | "edit" | "delete" | "react"} [type] "send" if absent
 * @property {string} [text]
 * @property {string} [reply_to]
 * @property {string} [of] entry ID of the message to change
 * @property {string} [emoji]
 * @property {boolean} [on] whether to add or remove the reaction
 * @property {import("./uploads.js").Attached[]} [attached] files whose bytes are in the browser's database
 * @property {{ id: string, alt?: string }[]} [files] the same files, once they are uploaded
 * @property {string} [preview] token of a link preview
 * @property {number} at time when the item was added, in milliseconds on the device's clock
 * @property {number} [tried] time when it was first sent, in milliseconds on the server's clock
 * @property {"waiting" | "uploading" | "failed"} state "uploading" if it has files; pages of older releases, which do not support files, do not send these items
 * @property {string} [why] the reason for the failure, as shown to the user
 */

/**
 * Outbox keeps the messages and changes of the user in one room until the server has stored them.
 * It survives reloads, crashes and days offline. It sends items one at a time, in order. Items of
 * other users of this browser wait until those users return.
 *
 * Each item has its own storage key. If tabs saved a list under one key, they could overwrite
 * each other's items.
 *
 * A page sends its own items and, whenever it connects, those of other tabs, which may have been
 * closed. If two tabs send the same item, the server stores it once because of its idempotency key.
 *
 * Event: `change` when items or refusal have changed.
 */
export class Outbox extends EventTarget {
  #prefix;
  #connection;
  #user;
  #isOpen = false;
  #isSignedOut = false; // whether the server does not know the user
  #inFlight = ""; // idempotency key
  #timer = 0; // until the next attempt
  #attempt = 0;
  #refusal = "";
  /** @type {Set<string>} idempotency keys of the items that this page may send */
  #sendableKeys = new Set();

  /**
   * @param {string} room
   * @param {import("../net/connection.js").Connection} connection
   * @param {string} [user] ID of the current user
   */
  constructor(room, connection, user) {
    super();
    this.room = room;
    this.#prefix = `${OUTBOX_PREFIX}${room}:`;
    this.#connection = connection;
    this.#user = user;
    for (const item of loadJSON(OUTBOX_PREFIX + room) ?? []) this.#save(item); // older releases stored a list
    save(OUTBOX_PREFIX + room, "");
    const on = (type, handle) => connection.addEventListener(type, ({ detail }) => handle(detail));
    on("hello", ({ user: helloUser }) => {
      this.#isSignedOut = helloUser === null;
      this.open();
    });
    on("state", (state) => state === "catching-up" || state === "live" || this.close());
    on("status", ({ redis }) => redis === "back" && this.open());
    on("stored", ({ key }) => this.remove(key));
    on("error", (error) => this.refuse(error));
  }

  /** Returns the rooms in which a user has items. @param {string} [user] @returns {string[]} */
  static rooms(user) {
    return [...new Set(itemKeys(user, OUTBOX_PREFIX).map((key) => key.split(":")[2]))];
  }

  /** @returns {Item[]} oldest first */
  get items() {
    return itemKeys(this.#user, this.#prefix).map(loadJSON).sort((a, b) => a.at - b.at);
  }

  /** @returns {"" | "away" | "full"} why the server refuses messages although the page is connected */
  get refusal() {
    return this.#refusal;
  }

  /** Adds an item, and sends it as soon as possible. @param {Partial<Item>} fields of the frame, without room and key */
  add(fields) {
    const last = this.items.at(-1)?.at ?? 0;
    const item = { ...fields, user: this.#user, key: newKey(), at: Math.max(Date.now(), last + 1), state: fields.attached ? "uploading" : "waiting" };
    this.#sendableKeys.add(item.key);
    this.#save(item);
    this.#sendNext();
    return item;
  }

  /** Retries a failed item. @param {string} key */
  retry(key) {
    this.#sendableKeys.add(key);
    this.#change(key, { state: loadJSON(this.#prefix + key)?.attached ? "uploading" : "waiting", why: undefined, tried: undefined });
    this.#sendNext();
  }

  /** Removes an item, because it is stored or the user discards it. @param {string} key */
  remove(key) {
    const item = loadJSON(this.#prefix + key);
    if (item) {
      save(this.#prefix + key, "");
      if (item.attached) loadUploads().then(({ sweep }) => sweep?.());
      this.changed();
    }
    if (this.#inFlight !== key) return;
    this.#stop();
    this.#attempt = 0;
    this.#setRefusal("");
    this.#sendNext();
  }

  /** Removes the changes to a message that was deleted. @param {string} id entry ID of the message */
  messageDeleted(id) {
    for (const { key, of } of this.items) if (of === id) this.remove(key);
  }

  /**
   * Handles an error frame. Ignores errors that are not about the item in flight.
   * @param {{ code: string, field?: string, message: string, key?: string, retry_after_ms?: number }} error
   */
  refuse({ code, field, message, key, retry_after_ms: wait = 0 }) {
    if (!key || key !== this.#inFlight) return;
    const item = this.items.find((item) => item.key === key);
    if (code === "not_found" && item?.of) return this.remove(key); // its message was deleted
    this.#stop();
    if (item?.preview && field === "preview") {
      this.#change(key, { preview: undefined }); // it has expired, for example
      return this.#sendNext();
    }
    if (code === "not_found" && field === "files") return this.#upload(item, true);
    switch (code) {
      case "rate_limited":
        return this.#pause(Math.max(wait, 250));
      case "unavailable":
      case "full":
        this.#setRefusal(code === "full" ? "full" : "away");
        return this.#pause(Math.max(wait, 1_000, backoff(++this.#attempt)));
    }
    this.#fail(key, code === "not_allowed" && this.#isSignedOut ? "You’re no longer signed in. Reload the page." : message);
  }

  /** Starts to send the waiting items. Call it on each new connection, and when a retry may succeed. */
  open() {
    this.#isOpen = true;
    for (const { key } of this.items) this.#sendableKeys.add(key); // the tab that added it may have been closed
    if (!this.#inFlight) this.#stop();
    this.#sendNext();
  }

  /** Stops sending. open() sends the item in flight again. */
  close() {
    this.#isOpen = false;
    this.#stop();
    this.#setRefusal("");
  }

  /** Dispatches `change`. Call it when another tab has changed the stored items. */
  changed() {
    this.dispatchEvent(new Event("change"));
  }

  #sendNext() {
    if (!this.#isOpen || this.#inFlight || this.#timer) return;
    const { limits } = this.#connection; // have no `files` if the server runs an older release; then items with files wait for the next hello
    const next = this.items.find(({ state, key, attached }) => state !== "failed" && this.#sendableKeys.has(key) && !(attached && !limits?.files));
    if (!next) return;
    const { user, at, tried: before, state, why, attached, ...frame } = next;
    const { key } = frame;
    if (attached && !frame.files) return this.#upload(next);
    const now = this.#connection.serverTime;
    if (now === undefined) return this.#connection.renew();
    const tried = before ?? now;
    if (now - tried > MAX_RETRY_TIME) return this.#fail(key, "An attempt over a day ago may have gone through.");
    if (!this.#connection.send({ type: "send", room: this.room, ...frame })) return;
    this.#change(key, { tried });
    this.#inFlight = key;
    this.#timer = setTimeout(() => {
      this.#connection.probe();
      this.#stop();
      this.#sendNext(); // the connection may be alive although this frame was lost
    }, REPLY_TIMEOUT);
  }

  /** Uploads the files of an item, then sends it. @param {Item} item @param {boolean} [again] whether the server no longer has the files */
  async #upload(item, again) {
    this.#inFlight = item.key;
    const { upload } = await loadUploads();
    const fields = this.#inFlight === item.key && (await upload?.(this.room, item, again)); // unless it was discarded
    if (fields) this.#change(item.key, fields);
    if (this.#inFlight !== item.key) return;
    this.#stop();
    if (fields) this.#sendNext();
    else this.#pause(UPLOAD_RETRY);
  }

  #fail(key, why) {
    this.#change(key, { state: "failed", why });
    this.#sendNext();
  }

  #change(key, fields) {
    const item = loadJSON(this.#prefix + key);
    if (item) this.#save({ ...item, ...fields });
  }

  #pause(milliseconds) {
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#sendNext();
    }, milliseconds);
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#inFlight = "";
  }

  #setRefusal(refusal) {
    if (refusal === this.#refusal) return;
    this.#refusal = refusal;
    this.changed();
  }

  #save(item) {
    save(this.#prefix + item.key, JSON.stringify(item));
    this.changed();
  }
}
