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
    try {
      const [user, id] = localStorage.getItem(name(room)).split(" ");
      return user === this.#me ? id : "0-0";
    } catch {
      return "0-0"; // None, or no storage.
    }
  }

  /** @param {string} room @param {string} id */
  keep(room, id) {
    try {
      localStorage.setItem(name(room), `${this.#me} ${id}`);
    } catch {
      // No storage: the server will know in a moment.
    }
  }
}

const name = (room) => `burble:read:${room}`;
