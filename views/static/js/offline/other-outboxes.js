import { Outbox } from "./outbox.js";

/**
 * OtherOutboxes sends the items waiting in the outboxes of other rooms, such as a message written
 * offline in a room that was left before it could be sent.
 *
 * Event: `change` when the counts may have changed.
 */
export class OtherOutboxes extends EventTarget {
  /** @type {Map<string, Outbox>} by room */
  #outboxes = new Map();
  #user;
  #currentRoom;
  #connection;

  /**
   * @param {import("../net/connection.js").Connection} connection
   * @param {string} [user] ID of the current user
   * @param {string} [currentRoom] has an outbox of its own on this page
   */
  constructor(connection, user, currentRoom) {
    super();
    this.#connection = connection;
    this.#user = user;
    this.#currentRoom = currentRoom;
    this.#addOutboxes(true);
    connection.addEventListener("hello", () => this.#addOutboxes(true)); // A tab in another room may have been closed since.
  }

  /** Call it when another tab has changed the items in storage. That tab sends its own. */
  changed() {
    this.#addOutboxes(false);
  }

  /** @returns {number} items waiting to be sent */
  get waiting() {
    return this.#all.flatMap(({ items }) => items).filter(({ state }) => state === "waiting").length;
  }

  /** @returns {string} a room with a failed item, "" for none */
  get failedRoom() {
    return this.#all.find(({ items }) => items.some(({ state }) => state === "failed"))?.room ?? "";
  }

  get #all() {
    return [...this.#outboxes.values()];
  }

  #addOutboxes(open) {
    for (const room of Outbox.rooms(this.#user)) {
      if (room === this.#currentRoom || this.#outboxes.has(room)) continue;
      const outbox = new Outbox(room, this.#connection, this.#user);
      outbox.addEventListener("change", () => this.#changed());
      this.#outboxes.set(room, outbox);
      if (open) outbox.open(); // Nothing is sent before there is a connection.
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
