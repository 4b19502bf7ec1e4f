import { compareIDs, idOf } from "./id.js";

/**
 * GapDetector checks that the frames of one socket leave nothing out: every `entries`
 * frame of a room must start where the frame before it ended. It also knows when a room
 * has caught up with the end it had when it was followed.
 */
export class GapDetector {
  /** @type {Map<string, string | null>} the cursor last requested, by room */
  #requested = new Map();
  /** @type {Map<string, string>} the cursor the next entries must start at, by room */
  #expected = new Map();
  /** @type {Map<string, string>} the entry ID a room is still catching up to, by room */
  #target = new Map();

  /** Records a request to follow a room from a cursor. @param {string} room @param {string | null} after */
  request(room, after) {
    this.#requested.set(room, after);
  }

  /**
   * Checks a `followed` frame. Returns false if the server claims to resume but starts
   * after the cursor requested.
   * @param {{ room: string, state: string, at: string, last?: string }} followed
   */
  start({ room, state, at, last }) {
    const requested = this.#requested.get(room);
    if (state === "resumed" && requested && compareIDs(idOf(at), idOf(requested)) > 0) return false;
    this.#expected.set(room, at);
    if (last) this.#target.set(room, idOf(last));
    this.#reached(room, at);
    return true;
  }

  /**
   * Checks an `entries` frame. Returns false if it does not start where the last frame ended.
   * @param {{ room: string, after: string, upto: string }} entries
   */
  advance({ room, after, upto }) {
    if (after !== this.#expected.get(room)) return false;
    this.#expected.set(room, upto);
    this.#reached(room, upto);
    return true;
  }

  /** Reports whether the server has confirmed following a room. @param {string} room */
  has(room) {
    return this.#expected.has(room);
  }

  /** Reports whether all these rooms have caught up. @param {Iterable<string>} rooms */
  caughtUp(rooms) {
    return [...rooms].every((room) => this.#expected.has(room) && !this.#target.has(room));
  }

  #reached(room, cursor) {
    const target = this.#target.get(room);
    if (target && compareIDs(idOf(cursor), target) >= 0) this.#target.delete(room);
  }
}
