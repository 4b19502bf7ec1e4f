import { keep, recall } from "../page/storage.js";

/**
 * Marks are up to where I have read each room, as this browser knows it: a page may be
 * left, and the next one rendered, before the server was told.
 */
export class Marks {
  #me;

  /** @param {{ id: string } | null} me */
  constructor(me) {
    this.#me = me?.id;
  }

  /** @param {string} room @returns {string} entry ID, "0-0" for none */
  of(room) {
    const [user, id] = recall(name(room)).split(" ");
    return id && user === this.#me ? id : "0-0";
  }

  /** @param {string} room @param {string} id */
  keep(room, id) {
    keep(name(room), `${this.#me} ${id}`);
  }
}

const name = (room) => `burble:read:${room}`;
