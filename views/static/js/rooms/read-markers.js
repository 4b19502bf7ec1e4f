import { compareIDs } from "../net/id.js";
import { load, save } from "../page/storage.js";

const PACE = 2_000; // milliseconds between two `read` frames

/** ReadMarker is the entry up to which the user has read the room. It never moves back. */
export class ReadMarker {
  #id;
  #sent;
  #send;
  #timer = 0;

  /**
   * @param {string} id entry ID, "0-0" for a room never visited
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

  /** Moves the marker: the user has seen everything up to an entry. Reports whether it moved. @param {string} id @returns {boolean} */
  moveTo(id) {
    if (compareIDs(id, this.#id) <= 0) return false;
    this.#id = id;
    if (!this.#timer) this.flush();
    return true;
  }

  /** Moves the marker to that of another device, if it is newer. @param {string} id */
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
    this.#timer = setTimeout(() => this.flush(), PACE);
  }
}

/**
 * StoredReadMarkers keeps the user's read marker of each room in this browser: the next
 * page may be rendered before the server has received it.
 */
export class StoredReadMarkers {
  #user;

  /** @param {{ id: string } | null} me */
  constructor(me) {
    this.#user = me?.id;
  }

  /** @param {string} room @returns {string} entry ID, "0-0" for none */
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
