import { findPart, contentOf } from "../messages/message.js";
import { keysWithPrefix, loadJSON, save } from "../page/storage.js";
import { workerURL } from "../page/trusted-html.js";
import { isHidden, ROOMS_KEY } from "../rooms/rooms.js";

const MAX_MESSAGES = 200; // per room
const SAVE_DELAY = 3_000; // milliseconds
const START_DELAY = 1_000; // milliseconds in which the page loads before the worker caches its files
const MAX_AGE = 30 * 86_400_000; // milliseconds since the last visit after which a room is deleted

/**
 * RoomCache stores the newest messages of the user's rooms on this device, with the cursor up to
 * which they are current. Without a network, the page shows them. With one, it resumes from the
 * cursor.
 */
export class RoomCache {
  #room;
  #key;
  #userPrefix;
  #timeline;
  #connection;
  #timer = 0;

  /**
   * @param {{ room: string, me: { id: string } | null, timeline: import("../messages/timeline.js").Timeline,
   *   connection: import("../net/connection.js").Connection }} options
   */
  constructor({ room, me, timeline, connection }) {
    this.#room = room;
    this.#userPrefix = `${me?.id ?? ""} `;
    this.#key = this.#userPrefix + room;
    this.#timeline = timeline;
    this.#connection = connection;
    connection.addEventListener("entries", ({ detail: { entries } }) => {
      const deleted = entries.filter(({ kind }) => kind === "delete").map(({ of }) => of);
      if (deleted.length) this.#deleteTexts(deleted);
      this.#saveAfter(deleted.length ? 0 : SAVE_DELAY);
    });
    connection.addEventListener("state", ({ detail: state }) => state === "live" && this.#saveAfter(SAVE_DELAY));
    addEventListener("pagehide", () => this.#save());
    setTimeout(() => {
      navigator.serviceWorker?.register(workerURL()).catch(() => {}); // some browsers refuse it in private windows
      this.#deleteOld().catch(() => {});
    }, START_DELAY);
    this.#save(); // the user may leave the room soon
  }

  /** Returns the messages stored for the room. @returns {Promise<{ cursor: string, entries: import("../messages/message.js").Entry[], begins?: boolean } | undefined>} begins is missing if an older release stored them */
  async load() {
    try {
      return await access("readonly", (rooms) => rooms.get(this.#key));
    } catch {
      return undefined; // IndexedDB is not available
    }
  }

  /** Shows the stored messages, and follows the room from their cursor. Returns true if there are none. @param {import("../messages/history.js").History} history */
  async restore(history) {
    const cached = await this.load();
    if (cached) await this.#timeline.insertPage({ entries: cached.entries, as_of: cached.cursor }, { replace: true, attach: true });
    const isEmpty = !this.#timeline.oldest;
    history.restart({ begins: cached?.begins, isUnknown: !cached });
    this.#connection.follow(this.#room, cached?.cursor ?? null);
    if (!navigator.onLine) this.#connection.offline();
    return isEmpty;
  }

  #saveAfter(delay) {
    if (this.#timer && delay) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), delay);
  }

  /** Stores the messages in the page if they include the room's newest one. */
  async #save() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const cursor = this.#connection.cursor(this.#room); // every entry up to it is already in the scroll queue
    const { results: entries, begins } = await this.#timeline.readNewest(MAX_MESSAGES, entryOf);
    if (!cursor || (!entries.length && !begins)) return;
    if (this.#connection.cursor(this.#room) === null) return; // the user may no longer read the room, and closed.js is deleting it
    await access("readwrite", (rooms) => rooms.put({ cursor, entries, begins, at: this.#connection.serverTime ?? Date.now() }, this.#key)).catch(() => {});
  }

  /** Deletes the texts of messages from the database, whether or not the page shows the messages. */
  async #deleteTexts(ids) {
    const cached = await this.load();
    if (!cached?.entries.some(({ id }) => ids.includes(id))) return;
    cached.entries = cached.entries.map((entry) => {
      if (!ids.includes(entry.id)) return entry;
      const { id, n, key, kind, user } = entry;
      return { id, n, key, kind, user, deleted: true };
    });
    await access("readwrite", (rooms) => rooms.put(cached, this.#key)).catch(() => {});
  }

  /** Deletes rooms not visited for MAX_AGE, those of other users of this browser, and those that the user may no longer read. */
  async #deleteOld() {
    const now = this.#connection.serverTime ?? 0; // without a network, the clock of the device is not enough to delete a room
    const keys = await access("readonly", (rooms) => rooms.getAllKeys());
    for (const key of keys) {
      const { at } = await access("readonly", (rooms) => rooms.get(key));
      const room = key.slice(key.indexOf(" ") + 1);
      if (!key.startsWith(this.#userPrefix) || now - at > MAX_AGE) await access("readwrite", (rooms) => rooms.delete(key));
      else if (room !== this.#room && (await isClosed(room))) await deleteRoom(room);
    }
  }
}

/** Reports whether the user may no longer read a private room. @param {string} room */
async function isClosed(room) {
  if (!isHidden(room) || document.querySelector(`#room-list a[href="/r/${room}"]`)) return false;
  const { status } = await fetch(`/r/${room}/messages?limit=1`, { headers: { Accept: "application/json" }, cache: "no-store" });
  return status === 404;
}

/** Deletes what this browser has stored about a room, for all its users: the page, messages, drafts, and its row in the list of rooms. @param {string} room */
export async function deleteRoom(room) {
  for (const key of keysWithPrefix("burble:")) if (key.endsWith(`:${room}`)) save(key, "");
  const stored = loadJSON(ROOMS_KEY);
  if (stored?.list) save(ROOMS_KEY, JSON.stringify({ ...stored, list: stored.list.filter((listed) => listed.room !== room) }));
  for (const name of (await globalThis.caches?.keys().catch(() => [])) ?? []) {
    if (name.startsWith("pages-")) await (await caches.open(name)).delete(`/r/${room}`);
  }
  for (const key of await access("readonly", (rooms) => rooms.getAllKeys())) {
    if (key.endsWith(` ${room}`)) await access("readwrite", (rooms) => rooms.delete(key));
  }
}

/** Converts an article to an entry for MessageRenderer.renderStored. @param {Element} article */
function entryOf(article) {
  const { n, key, edited } = article.dataset;
  const id = article.id.slice(1);
  if ("unreadable" in article.dataset) return { id, n: Number(n), kind: "unreadable" };
  const { user, text, html, preview } = contentOf(article);
  const entry = { id, n: Number(n), kind: "message", key, edited, user };
  if ("deleted" in article.dataset) return { ...entry, deleted: true };
  const quote = findPart(article, ".quote");
  if (!quote.hidden) entry.reply_to = quote.pathname.split("/").pop();
  const reactions = [...findPart(article, ".reactions").children].map(({ dataset }) => dataset);
  entry.reactions = Object.fromEntries(reactions.map(({ emoji, users }) => [emoji, users.match(/\S+/g) ?? []]));
  entry.more_users = Object.fromEntries(reactions.map(({ emoji, moreUsers }) => [emoji, Number(moreUsers)]));
  return { ...entry, text, html, preview, files: filesOf(article) };
}

/** Returns the files of a message. If the server rendered them, they come from the DOM, where they are not translated. */
function filesOf(article) {
  const { files } = contentOf(article);
  const container = findPart(article, ".files");
  if (files || !container) return files;
  return [...container.querySelectorAll("a")].map((link) => {
    const url = link.getAttribute("href").replace(/\?download$/, "");
    if (link.matches(".file")) {
      const name = link.title;
      const type = { VIDEO: "video/mp4", AUDIO: "audio/mpeg" }[link.previousElementSibling?.tagName] ?? "";
      return { name, type, url, sizeText: link.lastElementChild.textContent };
    }
    const [placeholder, img] = link.children;
    const { width, height, alt } = img;
    const name = link.title || alt;
    return { name, type: "image/png", url, width, height, alt: link.title ? "" : alt, color: placeholder.getAttribute("color"), thumbnail: link.dataset.missing ?? img.getAttribute("src") };
  });
}

/** @type {Promise<IDBDatabase> | undefined} */
let database;

/** Runs one request on the object store in a transaction, and returns its result. */
async function access(mode, makeRequest) {
  database ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open("burble", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("rooms");
    opening.onsuccess = () => {
      opening.result.onclose = () => (database = undefined); // so that the next access opens it again
      resolve(opening.result);
    };
    opening.onerror = () => reject(opening.error);
  });
  const transaction = (await database).transaction("rooms", mode);
  const request = makeRequest(transaction.objectStore("rooms"));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}
