import { compareIDs } from "../net/id.js";
import { load, loadJSON, save } from "../page/storage.js";

/** @typedef {{ room: string, title: string, last: string, read: string | null, unread: number, mentions: number, present: number }} Room */

/** Reports whether a room is private or direct. Pages show the title of such a room instead of its name. @param {string} room */
export const isHidden = (room) => /^[pd][a-z2-7]{20}$/.test(room);

/**
 * Rooms counts the unread messages of each room. It starts from the counts in the server's list
 * and updates them as entries arrive.
 *
 * Events: `change`; `mention` (detail: the room and the entry); `read` when a message that mentioned
 * the user may have been deleted, edited, or read on any device; and `stale` when the list must be
 * fetched again, because Rooms does not know how many messages another device has read, or whether a
 * deleted or edited message was a mention.
 */
export class Rooms extends EventTarget {
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  /** @type {Map<string, string>} ID of the last entry received, by room; the list may include later entries */
  #received = new Map();
  /** @type {Set<string>} rooms with stale counts */
  #stale = new Set();
  /** @type {Set<string>} IDs of unread messages that were deleted, or edited and do not mention the user */
  #withdrawn = new Set();
  #me;

  /** @param {{ id: string, name: string } | null} me */
  constructor(me) {
    super();
    this.#me = me;
  }

  /** Replaces the counts with those in the server's list, except for rooms where the list is outdated. @param {Room[]} list */
  update(list) {
    for (const room of list) {
      const known = this.#rooms.get(room.room);
      if (known && compareIDs(room.last, known.last) < 0) continue;
      if (!known) this.#received.set(room.room, room.last);
      this.#rooms.set(room.room, { ...known, ...room });
      this.#stale.delete(room.room);
    }
    for (const { room } of list) if (this.#stale.has(room)) this.#markStale(room); // the list was outdated
    this.#changed();
    this.#dispatchRead();
  }

  /** Counts new entries. @param {{ room: string, entries: import("../messages/message.js").Entry[] }} frame */
  addEntries({ room: name, entries }) {
    const room = this.get(name);
    for (const entry of entries) {
      if (compareIDs(entry.id, this.#received.get(name) ?? "0-0") <= 0) continue;
      this.#received.set(name, entry.id);
      const isListed = compareIDs(entry.id, room.last) <= 0; // the counts in the list include it
      if (!isListed) this.#count(room, entry);
      const isMention = entry.mentions?.includes(this.#me?.folded);
      if ((entry.kind === "delete" || (entry.kind === "edit" && !isMention)) && this.isUnread(name, entry.of)) {
        this.#withdrawn.add(entry.of);
        this.#dispatchRead();
      }
      if (entry.kind === "edit" && !isListed && this.#isUnread(room, { ...entry, id: entry.of }) && (isMention || room.mentions)) this.#markStale(name);
      if (entry.kind !== "message" || !this.#isUnread(room, entry) || !isMention) continue;
      if (!isListed) room.mentions++;
      this.dispatchEvent(new CustomEvent("mention", { detail: { room: name, entry } }));
    }
    this.#changed();
  }

  #count(room, entry) {
    room.last = entry.id;
    if (entry.kind === "topic" && !isHidden(room.room)) room.title = entry.text || room.room;
    if (entry.kind === "room" && entry.title) room.title = entry.title;
    if (!this.#isUnread(room, entry)) return;
    if (entry.kind === "delete") this.#countDeleted(room, entry.of);
    if (entry.kind === "message") room.unread++;
  }

  #countDeleted(room, id) {
    if (compareIDs(id, room.read) <= 0) return;
    room.unread = Math.max(0, room.unread - 1);
    if (room.mentions) this.#markStale(room.room); // the message may have been a mention
  }

  /** Reports whether an entry is by another user and after the read marker. A room never visited has no unread entries. */
  #isUnread(room, entry) {
    return room.read && compareIDs(entry.id, room.read) > 0 && entry.user?.id !== this.#me?.id;
  }

  /** Reports whether a message that mentioned the user is unread and, as far as this page knows, still mentions them. @param {string} name of the room @param {string} id */
  isUnread(name, id) {
    return compareIDs(id, this.#rooms.get(name)?.read ?? "0-0") > 0 && !this.#withdrawn.has(id);
  }

  /** Moves the read marker of a room forward. @param {string} name @param {string} id */
  markRead(name, id) {
    const room = this.get(name);
    if (room.read && compareIDs(id, room.read) <= 0) return;
    room.read = id;
    if (compareIDs(id, room.last) >= 0) room.unread = room.mentions = 0;
    else this.#markStale(name);
    this.#changed();
    this.#dispatchRead();
  }

  /** @param {string} name @returns {Room} */
  get(name) {
    const unknown = { room: name, title: name, last: "0-0", read: null, unread: 0, mentions: 0, present: 0 };
    if (isHidden(name)) return this.#rooms.get(name) ?? unknown; // only the server lists such a room
    if (!this.#rooms.has(name)) this.#rooms.set(name, unknown);
    return this.#rooms.get(name);
  }

  /** @returns {Room[]} rooms that the user has read first, each sorted by their last entry, newest first */
  get sorted() {
    return [...this.#rooms.values()].sort((a, b) => !a.read - !b.read || compareIDs(b.last, a.last));
  }

  /** Removes a room that the user may no longer see. @param {string} name */
  delete(name) {
    this.#rooms.delete(name);
    this.#changed();
  }

  #markStale(name) {
    this.#stale.add(name);
    this.dispatchEvent(new Event("stale"));
  }

  #dispatchRead() {
    this.dispatchEvent(new Event("read"));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Presence tracks which users are in a room. In a crowded room, the server names only some of
 * them; count includes the others.
 */
export class Presence {
  #users = new Map();
  count = 0;

  /**
   * Applies a `present` or `signal` frame. Reports whether it was about presence.
   * @param {{ kind?: string, user?: { id: string, name: string }, count?: number, users?: { id: string, name: string }[] }} frame
   */
  apply({ kind, user, count, users }) {
    if (users) {
      if (users.length || !count) this.#users = new Map(users.map((user) => [user.id, user]));
      this.count = count;
    } else if (kind === "came") {
      if (!this.#users.has(user.id)) this.count++;
      this.#users.set(user.id, user);
    } else if (kind === "left" && (this.#users.delete(user.id) || this.count > this.#users.size)) {
      this.count--;
    } else {
      return false;
    }
    return true;
  }

  /** @returns {{ id: string, name: string }[]} the users that the server has named, sorted by name */
  get users() {
    return [...this.#users.values()].sort((a, b) => a.name.localeCompare(b.name));
  }
}

/**
 * Returns the name of the previous or next room in a list, which wraps around.
 * @param {Room[]} rooms
 * @param {string} current name of a room
 * @param {1 | -1} step
 * @param {boolean} unreadOnly whether to skip rooms without unread messages
 * @returns {string | undefined} undefined if there is no other room
 */
export function neighborOf(rooms, current, step, unreadOnly) {
  const names = rooms.filter((room) => room.room === current || !unreadOnly || room.unread).map((room) => room.room);
  const neighbor = names.at((names.indexOf(current) + step) % names.length);
  return neighbor === current ? undefined : neighbor;
}

const SEND_EVERY = 2_000; // milliseconds between `read` frames

/** ReadMarker is the ID of the entry up to which the user has read the room. It never moves back. */
export class ReadMarker {
  #id;
  #sent;
  #send;
  #timer = 0;

  /**
   * @param {string} id entry ID, or "0-0" if the user has never visited the room
   * @param {(id: string) => boolean} send sends the marker to the server, and reports whether it could
   */
  constructor(id, send) {
    this.#id = this.#sent = id;
    this.#send = send;
  }

  /** @returns {string} entry ID */
  get id() {
    return this.#id;
  }

  /** Moves the marker to an entry, and reports whether it has moved. @param {string} id @returns {boolean} */
  moveTo(id) {
    if (compareIDs(id, this.#id) <= 0) return false;
    this.#id = id;
    if (!this.#timer) this.flush();
    return true;
  }

  /** Moves the marker to another device's marker, if that is newer. @param {string} id */
  sync(id) {
    if (compareIDs(id, this.#id) > 0) this.#id = id;
    if (compareIDs(id, this.#sent) > 0) this.#sent = id;
  }

  /** Sends the marker if the server does not have it yet. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (compareIDs(this.#id, this.#sent) <= 0 || !this.#send(this.#id)) return;
    this.#sent = this.#id;
    this.#timer = setTimeout(() => this.flush(), SEND_EVERY);
  }
}

/**
 * StoredReadMarkers keeps the user's read markers in this browser, because the server may render
 * the next page before it has received the last marker.
 */
export class StoredReadMarkers {
  #user;

  /** @param {{ id: string } | null} me */
  constructor(me) {
    this.#user = me?.id;
  }

  /** @param {string} room @returns {string} entry ID, or "0-0" for none */
  get(room) {
    const [user, id] = load(keyOf(room)).split(" ");
    return id && user === this.#user ? id : "0-0";
  }

  /** @param {string} room @param {string} id */
  set(room, id) {
    save(keyOf(room), `${this.#user} ${id}`);
  }
}

const keyOf = (room) => `burble:read:${room}`;

export const ROOMS_KEY = "burble:rooms";
const MAX_ROOMS = 100;

/**
 * StoredRooms keeps the user's list of rooms in this browser, because a page that the service worker
 * returns has the list of an earlier visit.
 */
export class StoredRooms {
  #user;

  /** @param {{ id: string } | null} me */
  constructor(me) {
    this.#user = me?.id ?? "";
  }

  /** Returns a list with the newest state of each room, from the given list or from storage. @param {import("./rooms.js").Room[]} rooms */
  merge(rooms) {
    const { user, list = [] } = loadJSON(ROOMS_KEY) ?? {};
    const merged = new Map(rooms.map((room) => [room.room, { ...room, present: 0 }]));
    for (const room of user === this.#user ? list : []) {
      const known = merged.get(room.room);
      if (!known || isNewer(room, known)) merged.set(room.room, room);
    }
    return [...merged.values()];
  }

  /** Stores the rooms, except where another page has stored a newer state. @param {import("./rooms.js").Room[]} rooms */
  save(rooms) {
    const list = this.merge(rooms).sort((a, b) => compareIDs(b.last, a.last)).slice(0, MAX_ROOMS);
    save(ROOMS_KEY, JSON.stringify({ user: this.#user, list }));
  }
}

const isNewer = (room, other) => (compareIDs(room.last, other.last) || compareIDs(room.read ?? "0-0", other.read ?? "0-0")) > 0;
