import { compareIDs } from "../net/id.js";
import { load, loadJSON, save } from "../page/storage.js";

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

const ROOMS_KEY = "burble:rooms";
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
