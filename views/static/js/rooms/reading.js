import { compare } from "../net/id.js";

const PACE = 2_000; // between two frames

/** Reading is the mark up to which I have read the room: it moves on, and never back. */
export class Reading {
  #mark;
  #sent;
  #transmit;
  #timer = 0;

  /**
   * @param {string} mark entry ID, "0-0" for never here
   * @param {(id: string) => boolean} transmit tells the server, if it can
   */
  constructor(mark, transmit) {
    this.#mark = this.#sent = mark;
    this.#transmit = transmit;
  }

  /** @returns {string} entry ID */
  get mark() {
    return this.#mark;
  }

  /** I have seen everything up to an entry. @param {string} id @returns {boolean} whether that was news */
  seen(id) {
    if (compare(id, this.#mark) <= 0) return false;
    this.#mark = id;
    if (!this.#timer) this.flush();
    return true;
  }

  /** Another of my pages has. @param {string} id */
  elsewhere(id) {
    if (compare(id, this.#mark) > 0) this.#mark = id;
    if (compare(id, this.#sent) > 0) this.#sent = id;
  }

  /** Tells the server what it was not told. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (compare(this.#mark, this.#sent) <= 0 || !this.#transmit(this.#mark)) return;
    this.#sent = this.#mark;
    this.#timer = setTimeout(() => this.flush(), PACE);
  }
}
