import { compare, idOf } from "./id.js";

/**
 * Chain checks that what one socket brings has no hole: every `entries` frame of a
 * room starts where the frame before it ended. It also knows when a room has
 * caught up with where its end was when it was followed.
 */
export class Chain {
  /** @type {Map<string, string | null>} the cursor last asked for, by room */
  #asked = new Map();
  /** @type {Map<string, string>} the cursor the next entries must start at, by room */
  #expected = new Map();
  /** @type {Map<string, string>} the entry ID up to which a room is catching up */
  #target = new Map();

  /** Notes that a room was asked for from a cursor. @param {string} room @param {string | null} after */
  ask(room, after) {
    this.#asked.set(room, after);
  }

  /**
   * Takes a `followed` frame; false when it begins after what was asked for, as if
   * nothing lay between.
   * @param {{ room: string, state: string, at: string, last?: string }} followed
   */
  start({ room, state, at, last }) {
    const asked = this.#asked.get(room);
    if (state === "resumed" && asked && compare(idOf(at), idOf(asked)) > 0) return false;
    this.#expected.set(room, at);
    if (last) this.#target.set(room, idOf(last));
    this.#reached(room, at);
    return true;
  }

  /**
   * Takes an `entries` frame; false when it does not continue the chain.
   * @param {{ room: string, after: string, upto: string }} entries
   */
  go({ room, after, upto }) {
    if (after !== this.#expected.get(room)) return false;
    this.#expected.set(room, upto);
    this.#reached(room, upto);
    return true;
  }

  /** Whether the server has begun to bring a room. @param {string} room */
  has(room) {
    return this.#expected.has(room);
  }

  /** Whether every one of these rooms has caught up. @param {Iterable<string>} rooms */
  complete(rooms) {
    return [...rooms].every((room) => this.#expected.has(room) && !this.#target.has(room));
  }

  #reached(room, cursor) {
    const target = this.#target.get(room);
    if (target && compare(idOf(cursor), target) >= 0) this.#target.delete(room);
  }
}
