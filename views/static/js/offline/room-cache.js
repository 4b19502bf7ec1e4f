import { findPart } from "../messages/message.js";
import { workerURL } from "../page/trusted-html.js";

const MAX_MESSAGES = 200; // messages stored of each room
const SAVE_EVERY = 3_000;
const MAX_AGE = 30 * 86_400_000; // milliseconds since the last visit after which a room is deleted

/**
 * RoomCache stores the newest messages of each room on this device, for one user, with the
 * cursor they are current as of. A room then opens without a network, and resumes from
 * the cursor.
 */
export class RoomCache {
  #room;
  #key;
  #userPrefix;
  #timeline;
  #renderer;
  #connection;
  #timer = 0;

  /**
   * @param {{ room: string, me: { id: string } | null, timeline: import("../messages/timeline.js").Timeline,
   *   renderer: import("../messages/message.js").MessageRenderer, connection: import("../net/connection.js").Connection }} options
   */
  constructor({ room, me, timeline, renderer, connection }) {
    this.#room = room;
    this.#userPrefix = `${me?.id ?? ""} `;
    this.#key = this.#userPrefix + room;
    this.#timeline = timeline;
    this.#renderer = renderer;
    this.#connection = connection;
    connection.addEventListener("entries", ({ detail: { entries } }) => {
      const deleted = entries.filter(({ kind }) => kind === "delete").map(({ of }) => of);
      if (deleted.length) this.#deleteTexts(deleted);
      this.#saveAfter(deleted.length ? 0 : SAVE_EVERY);
    });
    connection.addEventListener("state", ({ detail: state }) => state === "live" && this.#saveAfter(SAVE_EVERY));
    addEventListener("pagehide", () => this.#save());
    navigator.serviceWorker?.register(workerURL()).catch(() => {}); // Some browsers refuse it in private windows.
    this.#deleteOld().catch(() => {});
    this.#saveAfter(SAVE_EVERY); // The page was probably live before this module was loaded.
  }

  /** Returns what is stored of the room. @returns {Promise<{ cursor: string, entries: import("../messages/message.js").Entry[] } | undefined>} */
  async load() {
    try {
      return await access("readonly", (rooms) => rooms.get(this.#key));
    } catch {
      return undefined; // IndexedDB is not available.
    }
  }

  #saveAfter(delay) {
    if (this.#timer && delay) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), delay);
  }

  /** Stores the messages in the page, if they are the room's newest. */
  async #save() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const cursor = this.#connection.cursor(this.#room); // Every entry up to it is in the timeline's queue already.
    const entries = await this.#timeline.readNewest(MAX_MESSAGES, (article) => entryOf(article, this.#renderer.sourceOf(article)));
    if (!cursor || !entries.length) return;
    await access("readwrite", (rooms) => rooms.put({ cursor, entries, at: Date.now() }, this.#key)).catch(() => {});
  }

  /** Deletes the texts of messages at once, whatever the page shows. */
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

  /** Deletes rooms not visited for MAX_AGE, and those of other users of this browser. */
  async #deleteOld() {
    const keys = await access("readonly", (rooms) => rooms.getAllKeys());
    for (const key of keys) {
      const { at } = await access("readonly", (rooms) => rooms.get(key));
      if (!key.startsWith(this.#userPrefix) || Date.now() - at > MAX_AGE) await access("readwrite", (rooms) => rooms.delete(key));
    }
  }
}

/** Returns the entry from which MessageRenderer.renderStored makes the same article. @param {Element} article @param {string | undefined} text Markdown source */
function entryOf(article, text) {
  const { n, key, user, edited } = article.dataset;
  const id = article.id.slice(1);
  if ("unreadable" in article.dataset) return { id, n: Number(n), kind: "unreadable" };
  const entry = { id, n: Number(n), kind: "message", key, edited, user: { id: user, name: findPart(article, ".author").textContent } };
  if ("deleted" in article.dataset) return { ...entry, deleted: true };
  const quote = findPart(article, ".quote");
  if (!quote.hidden) entry.reply_to = quote.pathname.split("/").pop();
  entry.reactions = Object.fromEntries([...findPart(article, ".reactions").children].map(({ dataset }) => [dataset.emoji, dataset.users.split(" ")]));
  return { ...entry, text, html: findPart(article, ".body").innerHTML };
}

/** @type {Promise<IDBDatabase> | undefined} */
let database;

/** Runs one request on the object store, and returns its result when the transaction has completed. */
async function access(mode, makeRequest) {
  database ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open("burble", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("rooms");
    opening.onsuccess = () => {
      opening.result.onclose = () => (database = undefined); // The browser closed it. The next access opens it again.
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
