import { Outbox } from "./outbox.js";

/**
 * Elsewhere sends what waits in the outboxes of other rooms: it was written offline,
 * say, and its room left before it could go.
 *
 * Event: `change` (what waits or failed there is another).
 */
export class Elsewhere extends EventTarget {
  /** @type {Map<string, Outbox>} those of rooms in which something was left */
  #outboxes = new Map();
  #find;

  /**
   * @param {import("../net/connection.js").Connection} connection
   * @param {string} [user] ID of who is here
   * @param {string} [room] the page's own
   */
  constructor(connection, user, room) {
    super();
    this.#find = (send) => {
      for (const other of Outbox.rooms(user)) {
        if (other === room || this.#outboxes.has(other)) continue;
        const outbox = new Outbox(other, connection, user);
        outbox.addEventListener("change", () => this.#changed());
        this.#outboxes.set(other, outbox);
        if (send) outbox.open(); // Before there is a connection nothing is sent.
      }
      this.#changed();
    };
    this.#find(true);
    connection.addEventListener("hello", () => this.#find(true)); // A page that was open in another room may have been closed since.
  }

  /** Another page changed what is stored. It sends what it wrote itself. */
  changed() {
    this.#find(false);
  }

  /** @returns {number} how many messages and changes wait */
  get waiting() {
    return this.#all.flatMap(({ items }) => items).filter(({ state }) => state === "waiting").length;
  }

  /** @returns {string} a room of which one has failed, "" if there is none */
  get failed() {
    return this.#all.find(({ items }) => items.some(({ state }) => state === "failed"))?.room ?? "";
  }

  get #all() {
    return [...this.#outboxes.values()];
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
