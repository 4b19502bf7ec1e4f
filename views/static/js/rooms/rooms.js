import { compare } from "../net/id.js";
import { mentions } from "../messages/mark.js";

/** @typedef {{ room: string, title: string, last: string, read: string | null, unread: number, mentions: number, present: number }} Room */

/**
 * Rooms is what is known of each room beside the page's: as the server listed it, and
 * counted on from there.
 *
 * Events: `change`; `mention` (detail: the room and the entry); `doubt` (what was read
 * elsewhere, or was deleted, cannot be counted here: the list is to be fetched).
 */
export class Rooms extends EventTarget {
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  /** @type {Map<string, string>} the last entry of each room that came here: a list may know later ones */
  #heard = new Map();
  /** @type {Set<string>} rooms whose counts are in doubt */
  #doubted = new Set();
  #me;

  /** @param {{ id: string, name: string } | null} me */
  constructor(me) {
    super();
    this.#me = me;
  }

  /** Takes rooms as the server listed them. @param {Room[]} list */
  take(list) {
    for (const room of list) {
      const known = this.#rooms.get(room.room);
      if (known && compare(room.last, known.last) < 0) continue;
      if (!known) this.#heard.set(room.room, room.last);
      this.#rooms.set(room.room, { ...known, ...room });
      this.#doubted.delete(room.room);
    }
    for (const { room } of list) if (this.#doubted.has(room)) this.#doubt(room); // More came meanwhile.
    this.#changed();
  }

  /** Counts what came in a room. @param {{ room: string, entries: import("../messages/message.js").Entry[] }} frame */
  entries({ room: name, entries }) {
    const room = this.get(name);
    for (const entry of entries) {
      if (compare(entry.id, this.#heard.get(name) ?? "0-0") <= 0) continue;
      this.#heard.set(name, entry.id);
      const listed = compare(entry.id, room.last) <= 0; // It was counted by the server already.
      if (!listed) this.#count(room, entry);
      if (entry.kind !== "message" || !this.#isNews(room, entry) || !mentions(entry.text, this.#me?.name ?? "").length) continue;
      if (!listed) room.mentions++;
      this.dispatchEvent(new CustomEvent("mention", { detail: { room: name, entry } }));
    }
    this.#changed();
  }

  #count(room, entry) {
    room.last = entry.id;
    if (entry.kind === "topic") room.title = entry.text || room.room;
    if (!this.#isNews(room, entry)) return;
    if (entry.kind === "delete") this.#gone(room, entry.of);
    if (entry.kind === "message") room.unread++;
  }

  /** Whether somebody else made the entry, in a room where I have been, after what I read of it. */
  #isNews(room, entry) {
    return room.read && compare(entry.id, room.read) > 0 && entry.user?.id !== this.#me?.id;
  }

  /** A room was read up to an entry, here or elsewhere. @param {string} name @param {string} id */
  read(name, id) {
    const room = this.get(name);
    if (room.read && compare(id, room.read) <= 0) return;
    room.read = id;
    if (compare(id, room.last) >= 0) room.unread = room.mentions = 0;
    else this.#doubt(name);
    this.#changed();
  }

  /** @param {string} name @param {number} count people who are there */
  present(name, count) {
    this.get(name).present = count;
    this.#changed();
  }

  /** @param {string} name @returns {Room} */
  get(name) {
    const fresh = { room: name, title: name, last: "0-0", read: null, unread: 0, mentions: 0, present: 0 };
    if (!this.#rooms.has(name)) this.#rooms.set(name, fresh);
    return this.#rooms.get(name);
  }

  /** @returns {Room[]} newest activity first */
  get sorted() {
    return [...this.#rooms.values()].sort((a, b) => compare(b.last, a.last));
  }

  /** Another's message is no more. */
  #gone(room, id) {
    if (compare(id, room.read) <= 0) return;
    room.unread = Math.max(0, room.unread - 1);
    if (room.mentions) this.#doubt(room.room); // It may have been one.
  }

  #doubt(name) {
    this.#doubted.add(name);
    this.dispatchEvent(new Event("doubt"));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * The room so many steps from one in a list, around its ends.
 * @param {Room[]} rooms
 * @param {string} from
 * @param {1 | -1} step
 * @param {boolean} unread whether only rooms with something unread count
 * @returns {string | undefined}
 */
export function stepped(rooms, from, step, unread) {
  const names = rooms.filter((room) => room.room === from || !unread || room.unread).map((room) => room.room);
  const to = names.at((names.indexOf(from) + step) % names.length);
  return to === from ? undefined : to;
}
