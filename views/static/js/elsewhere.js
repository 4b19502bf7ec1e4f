import { Outbox } from "./outbox.js";

/**
 * Elsewhere sends what waits in the outboxes of other rooms: it was written offline,
 * say, and its room left before it could go.
 *
 * Event: `change` (what waits or failed there is another).
 */
export class Elsewhere extends EventTarget {
  /** @type {Outbox[]} those of rooms in which something was left */
  #outboxes = [];

  /**
   * @param {{ room?: string, connection: import("./connection.js").Connection, storage?: Storage }} options room: the page's own
   */
  constructor({ room, connection, storage }) {
    super();
    const each = (tell) => this.#outboxes.forEach(tell);
    const find = () => {
      each((outbox) => outbox.shut());
      this.#outboxes = Outbox.rooms(storage)
        .filter((other) => other !== room)
        .map((other) => new Outbox(other, { storage, transmit: (frame) => connection.send(frame) }));
      for (const outbox of this.#outboxes) {
        outbox.addEventListener("change", () => this.#changed());
        outbox.addEventListener("silent", () => connection.probe());
        outbox.open(); // Before there is a connection nothing is sent.
      }
      this.#changed();
    };
    connection.addEventListener("hello", find); // A page that was open in another room may have been closed since.
    connection.addEventListener("state", ({ detail: state }) => {
      if (state !== "catching" && state !== "live") each((outbox) => outbox.shut());
    });
    connection.addEventListener("status", ({ detail: { redis } }) => redis === "back" && each((outbox) => outbox.open()));
    connection.addEventListener("stored", ({ detail: { key } }) => each((outbox) => outbox.settle(key)));
    connection.addEventListener("error", ({ detail }) => each((outbox) => outbox.refused(detail)));
    find();
  }

  /** @returns {number} how many messages and changes wait */
  get waiting() {
    return this.#outboxes.flatMap(({ items }) => items).filter(({ state }) => state === "waiting").length;
  }

  /** @returns {string} a room of which one has failed, "" if there is none */
  get failed() {
    return this.#outboxes.find(({ items }) => items.some(({ state }) => state === "failed"))?.room ?? "";
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
