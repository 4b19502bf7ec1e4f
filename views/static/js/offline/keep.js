import { part } from "../messages/message.js";
import { worker } from "../page/render.js";

const MOST = 200; // messages of a room
const PAUSE = 3_000; // between two times the messages are kept
const AGE = 30 * 86_400_000; // how long a room that is not visited is kept

/**
 * Keep holds on this device, for one user, the newest messages of each room and the
 * cursor they are as of: so that a room opens without network, and goes on from there.
 */
export class Keep {
  #room;
  #name;
  #prefix;
  #timeline;
  #maker;
  #connection;
  #timer = 0;

  /**
   * @param {{ room: string, me: { id: string } | null, timeline: import("../messages/timeline.js").Timeline,
   *   maker: import("../messages/message.js").MessageMaker, connection: import("../net/connection.js").Connection }} options
   */
  constructor({ room, me, timeline, maker, connection }) {
    this.#room = room;
    this.#prefix = `${me?.id ?? ""} `;
    this.#name = this.#prefix + room;
    this.#timeline = timeline;
    this.#maker = maker;
    this.#connection = connection;
    connection.addEventListener("entries", ({ detail: { entries } }) => {
      const gone = entries.filter(({ kind }) => kind === "delete").map(({ of }) => of);
      if (gone.length) this.#forget(gone);
      this.#later(gone.length ? 0 : PAUSE);
    });
    connection.addEventListener("state", ({ detail }) => detail === "live" && this.#later(PAUSE));
    addEventListener("pagehide", () => this.#save());
    navigator.serviceWorker?.register(worker()).catch(() => {}); // Not in every mode of every browser.
    this.#tidy().catch(() => {});
    this.#later(PAUSE); // The page was live, most likely, before this was loaded.
  }

  /** What is kept of the room. @returns {Promise<{ cursor: string, entries: import("../messages/message.js").Entry[] } | undefined>} */
  async load() {
    try {
      return await access("readonly", (rooms) => rooms.get(this.#name));
    } catch {
      return undefined; // There is no such storage here.
    }
  }

  #later(pause) {
    if (this.#timer && pause) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), pause);
  }

  /** Keeps what is in the page, when that is the room's newest. */
  async #save() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const cursor = this.#connection.cursor(this.#room); // Everything up to it is in the queue already.
    const entries = await this.#timeline.read(MOST, (article) => entryOf(article, this.#maker.text(article)));
    if (!cursor || !entries.length) return;
    await access("readwrite", (rooms) => rooms.put({ cursor, entries, at: Date.now() }, this.#name)).catch(() => {});
  }

  /** Forgets texts at once, also when the page shows another place. */
  async #forget(ids) {
    const held = await this.load();
    if (!held?.entries.some(({ id }) => ids.includes(id))) return;
    held.entries = held.entries.map((entry) => {
      if (!ids.includes(entry.id)) return entry;
      const { id, n, key, kind, user } = entry;
      return { id, n, key, kind, user, deleted: true };
    });
    await access("readwrite", (rooms) => rooms.put(held, this.#name)).catch(() => {});
  }

  /** Forgets what is old, and what another user of this browser saw. */
  async #tidy() {
    const names = await access("readonly", (rooms) => rooms.getAllKeys());
    for (const name of names) {
      const { at } = await access("readonly", (rooms) => rooms.get(name));
      if (!name.startsWith(this.#prefix) || Date.now() - at > AGE) await access("readwrite", (rooms) => rooms.delete(name));
    }
  }
}

/** The entry that MessageMaker.stored makes the same article of. @param {Element} article @param {string | undefined} text what was written */
function entryOf(article, text) {
  const { n, key, user, edited } = article.dataset;
  const id = article.id.slice(1);
  if ("unreadable" in article.dataset) return { id, n: Number(n), kind: "unreadable" };
  const entry = { id, n: Number(n), kind: "message", key, edited, user: { id: user, name: part(article, ".author").textContent } };
  if ("deleted" in article.dataset) return { ...entry, deleted: true };
  const quote = part(article, ".quote");
  if (!quote.hidden) entry.reply_to = quote.pathname.split("/").pop();
  entry.reactions = Object.fromEntries([...part(article, ".marks").children].map(({ dataset }) => [dataset.emoji, dataset.by.split(" ")]));
  return { ...entry, text, html: part(article, ".body").innerHTML };
}

let opened;

/** Does one thing with the store of rooms; its result, when that is done. */
async function access(mode, work) {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("burble", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("rooms");
    asked.onsuccess = () => {
      asked.result.onclose = () => (opened = undefined); // The browser closed it: it is opened again.
      resolve(asked.result);
    };
    asked.onerror = () => reject(asked.error);
  });
  const transaction = (await opened).transaction("rooms", mode);
  const asked = work(transaction.objectStore("rooms"));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}
