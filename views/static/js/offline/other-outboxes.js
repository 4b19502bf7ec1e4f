import { isHidden } from "../rooms/rooms.js";
import { Outbox } from "./outbox.js";

/**
 * OtherOutboxes sends the items in the outboxes of other rooms. They could not be sent
 * before the user left those rooms.
 *
 * Event: `change` when waiting or failedRoom may have changed.
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
   * @param {string} [currentRoom] the room whose outbox the page already has
   */
  constructor(connection, user, currentRoom) {
    super();
    this.#connection = connection;
    this.#user = user;
    this.#currentRoom = currentRoom;
    this.#addOutboxes(true);
    connection.addEventListener("hello", () => this.#addOutboxes(true)); // including those of tabs that were closed in the meantime
  }

  /** Call it when another tab has changed the stored items. This page does not send the items of that tab until it reconnects. */
  changed() {
    this.#addOutboxes(false);
  }

  /** @returns {number} items waiting to be sent */
  get waiting() {
    return this.#all.flatMap(({ items }) => items).filter(({ state }) => state !== "failed").length;
  }

  /** @returns {string} a description of a room with a failed item, or "" */
  get failedRoom() {
    const { room } = this.#all.find(({ items }) => items.some(({ state }) => state === "failed")) ?? {};
    if (!room) return "";
    return isHidden(room) ? "a private room" : `#${room}`;
  }

  get #all() {
    return [...this.#outboxes.values()];
  }

  #addOutboxes(isOpen) {
    for (const room of Outbox.rooms(this.#user)) {
      if (room === this.#currentRoom || this.#outboxes.has(room)) continue;
      const outbox = new Outbox(room, this.#connection, this.#user);
      outbox.addEventListener("change", () => this.#changed());
      this.#outboxes.set(room, outbox);
      if (isOpen) outbox.open(); // sends nothing until the connection is ready
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
