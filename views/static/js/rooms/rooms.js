import { findMentions } from "../messages/highlight.js";
import { compareIDs } from "../net/id.js";

/** @typedef {{ room: string, title: string, last: string, read: string | null, unread: number, mentions: number, present: number }} Room */

/**
 * Rooms holds the unread counts of each room: as the server listed them, and counted on
 * from there as entries arrive.
 *
 * Events: `change`; `mention` (detail: the room and the entry); `stale` when a count can no
 * longer be kept here, because part of a room was read on another device or a mention was
 * deleted: fetch the list again.
 */
export class Rooms extends EventTarget {
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  /** @type {Map<string, string>} the last entry received of each room; a list may include later ones */
  #received = new Map();
  /** @type {Set<string>} rooms with stale counts */
  #stale = new Set();
  #me;

  /** @param {{ id: string, name: string } | null} me */
  constructor(me) {
    super();
    this.#me = me;
  }

  /** Replaces the counts by those of the server's list, except for rooms where the list is outdated. @param {Room[]} list */
  update(list) {
    for (const room of list) {
      const known = this.#rooms.get(room.room);
      if (known && compareIDs(room.last, known.last) < 0) continue;
      if (!known) this.#received.set(room.room, room.last);
      this.#rooms.set(room.room, { ...known, ...room });
      this.#stale.delete(room.room);
    }
    for (const { room } of list) if (this.#stale.has(room)) this.#markStale(room); // The list was outdated.
    this.#changed();
  }

  /** Counts entries received. @param {{ room: string, entries: import("../messages/message.js").Entry[] }} frame */
  addEntries({ room: name, entries }) {
    const room = this.get(name);
    for (const entry of entries) {
      if (compareIDs(entry.id, this.#received.get(name) ?? "0-0") <= 0) continue;
      this.#received.set(name, entry.id);
      const isListed = compareIDs(entry.id, room.last) <= 0; // The server has counted it already.
      if (!isListed) this.#count(room, entry);
      if (entry.kind !== "message" || !this.#isUnread(room, entry) || !findMentions(entry.text, this.#me?.name ?? "").length) continue;
      if (!isListed) room.mentions++;
      this.dispatchEvent(new CustomEvent("mention", { detail: { room: name, entry } }));
    }
    this.#changed();
  }

  #count(room, entry) {
    room.last = entry.id;
    if (entry.kind === "topic") room.title = entry.text || room.room;
    if (!this.#isUnread(room, entry)) return;
    if (entry.kind === "delete") this.#countDeleted(room, entry.of);
    if (entry.kind === "message") room.unread++;
  }

  #countDeleted(room, id) {
    if (compareIDs(id, room.read) <= 0) return;
    room.unread = Math.max(0, room.unread - 1);
    if (room.mentions) this.#markStale(room.room); // The message may have been a mention.
  }

  /** Reports whether another user added an entry after the read marker. A room never visited has no unread entries. */
  #isUnread(room, entry) {
    return room.read && compareIDs(entry.id, room.read) > 0 && entry.user?.id !== this.#me?.id;
  }

  /** Moves the read marker of a room, here or on another device. @param {string} name @param {string} id */
  markRead(name, id) {
    const room = this.get(name);
    if (room.read && compareIDs(id, room.read) <= 0) return;
    room.read = id;
    if (compareIDs(id, room.last) >= 0) room.unread = room.mentions = 0;
    else this.#markStale(name);
    this.#changed();
  }

  /** @param {string} name @param {number} count of users present */
  setPresent(name, count) {
    this.get(name).present = count;
    this.#changed();
  }

  /** @param {string} name @returns {Room} */
  get(name) {
    const unknown = { room: name, title: name, last: "0-0", read: null, unread: 0, mentions: 0, present: 0 };
    if (!this.#rooms.has(name)) this.#rooms.set(name, unknown);
    return this.#rooms.get(name);
  }

  /** @returns {Room[]} by their last entry, newest first */
  get sorted() {
    return [...this.#rooms.values()].sort((a, b) => compareIDs(b.last, a.last));
  }

  #markStale(name) {
    this.#stale.add(name);
    this.dispatchEvent(new Event("stale"));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Returns the room before or after one in a list, which wraps around.
 * @param {Room[]} rooms
 * @param {string} from
 * @param {1 | -1} step
 * @param {boolean} unreadOnly
 * @returns {string | undefined}
 */
export function neighbourOf(rooms, from, step, unreadOnly) {
  const names = rooms.filter((room) => room.room === from || !unreadOnly || room.unread).map((room) => room.room);
  const to = names.at((names.indexOf(from) + step) % names.length);
  return to === from ? undefined : to;
}
