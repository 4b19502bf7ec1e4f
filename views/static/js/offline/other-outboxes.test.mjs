import assert from "node:assert/strict";
import test from "node:test";
import { OtherOutboxes } from "./other-outboxes.js";
import { Outbox } from "./outbox.js";

/** FakeConnection records the frames sent while it is open. A hello frame opens it, and any state event closes it. */
class FakeConnection extends EventTarget {
  sent = [];
  #isOpen = false;
  serverTime = 0;
  send(frame) {
    return this.#isOpen && this.sent.push(frame) > 0;
  }
  probe() {}
  receive(type, detail) {
    if (type === "hello") this.#isOpen = true;
    if (type === "state") this.#isOpen = false;
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Returns a fake localStorage. As in a browser, its keys are properties. */
const fakeStorage = () =>
  Object.create({
    getItem(key) {
      return this[key] ?? null;
    },
    setItem(key, value) {
      this[key] = value;
    },
    removeItem(key) {
      delete this[key];
    },
  });

/** Opens the lobby for Ada, after she has written a message in each of these rooms. */
function openLobby(context, ...rooms) {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  Object.defineProperty(globalThis, "localStorage", { value: fakeStorage(), configurable: true });
  const connection = new FakeConnection();
  const write = (room, text) => new Outbox(room, new FakeConnection(), "ada").add({ text });
  for (const room of rooms) write(room, `from ${room}`);
  return { connection, write, others: new OtherOutboxes(connection, "ada", "lobby") };
}

test("messages waiting in other rooms are sent with their keys", (t) => {
  const { connection, write, others } = openLobby(t, "lobby", "tea");
  assert.equal(others.waiting, 1);
  const later = write("attic", "from a closed tab");
  connection.receive("hello", {});
  assert.deepEqual(
    connection.sent.map(({ room, text }) => `${room}: ${text}`),
    ["tea: from tea", "attic: from a closed tab"],
  );
  let changes = 0;
  others.addEventListener("change", () => changes++);
  for (const { key } of connection.sent) connection.receive("stored", { key, id: "1-0" });
  assert.equal(connection.sent[1].key, later.key);
  assert.ok(changes >= 2);
  assert.equal(others.waiting, 0);
  assert.deepEqual(Outbox.rooms("ada"), ["lobby"]);
});

test("an item that is not stored is sent again on the next connection", (t) => {
  const { connection, others } = openLobby(t, "tea");
  connection.receive("hello", {});
  connection.receive("state", "connecting");
  assert.equal(others.waiting, 1);
  connection.receive("hello", {});
  assert.equal(connection.sent.length, 2);
  assert.equal(connection.sent[0].key, connection.sent[1].key);
  connection.receive("stored", { key: connection.sent[1].key, id: "1-0" });
  assert.deepEqual(Outbox.rooms("ada"), []);
});

test("a refused message in a private room is reported without the room's random name", (t) => {
  const { connection, others } = openLobby(t, "pirvxnzkl2rcrwqtw2fee");
  connection.receive("hello", {});
  connection.receive("error", { code: "too_long", message: "Too long.", key: connection.sent[0].key });
  assert.equal(others.failedRoom, "a private room");
});

test("a refused message is reported as failed, and not sent again", (t) => {
  const { connection, others } = openLobby(t, "tea");
  connection.receive("hello", {});
  connection.receive("error", { code: "too_long", message: "Too long.", key: connection.sent[0].key });
  assert.deepEqual([others.waiting, others.failedRoom], [0, "#tea"]);
  connection.receive("hello", {});
  assert.equal(connection.sent.length, 1);
});
