import { compareIDs, idOf } from "./id.js";

/**
 * GapDetector checks that the frames of one socket skip no entries: each `entries` frame of a
 * room must start at the cursor where the previous frame ended.
 *
 * It also tracks whether each room has caught up, which means that the server has sent all
 * entries stored before it confirmed the follow.
 */
export class GapDetector {
  /** @type {Map<string, string | null>} the cursor last requested, by room */
  #requested = new Map();
  /** @type {Map<string, string>} the cursor at which the next frame must start, by room */
  #expected = new Map();
  /** @type {Map<string, string>} ID of the last entry to catch up with, for each room that has not caught up */
  #target = new Map();

  /** Records a request to follow a room. @param {string} room @param {string | null} after cursor */
  request(room, after) {
    this.#requested.set(room, after);
  }

  /**
   * Checks a `followed` or `entries` frame, and returns false if it leaves a gap. A `followed` frame
   * leaves a gap if its state is resumed, but it starts after the requested cursor.
   * @param {{ type: string, room: string, state?: string, at?: string, last?: string, after?: string, upto?: string }} frame
   */
  check({ type, room, state, at, last, after, upto }) {
    const requested = this.#requested.get(room);
    const skips = state === "resumed" && requested && compareIDs(idOf(at), idOf(requested)) > 0;
    if (type === "followed" ? skips : after !== this.#expected.get(room)) return false;
    const cursor = at ?? upto;
    this.#expected.set(room, cursor);
    if (last) this.#target.set(room, idOf(last));
    const target = this.#target.get(room);
    if (target && compareIDs(idOf(cursor), target) >= 0) this.#target.delete(room);
    return true;
  }

  /** Reports whether the server has confirmed the follow of a room. @param {string} room */
  isFollowed(room) {
    return this.#expected.has(room);
  }

  /** Reports whether all of these rooms have caught up. @param {Iterable<string>} rooms */
  haveCaughtUp(rooms) {
    return [...rooms].every((room) => this.#expected.has(room) && !this.#target.has(room));
  }
}
