import assert from "node:assert/strict";
import test from "node:test";
import { Elsewhere } from "./elsewhere.js";
import { Outbox } from "./outbox.js";

/** A connection that notes what it is given. */
class FakeConnection extends EventTarget {
  sent = [];
  #there = false;
  send(frame) {
    return this.#there && this.sent.push(frame) > 0;
  }
  probe() {}
  tell(type, detail) {
    if (type === "hello") this.#there = true;
    if (type === "state") this.#there = false;
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** A storage as browsers have it: its names are its properties. */
const fakeStorage = () =>
  Object.create({
    getItem(name) {
      return this[name] ?? null;
    },
    setItem(name, value) {
      this[name] = value;
    },
    removeItem(name) {
      delete this[name];
    },
  });

function begin(context, ...rooms) {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  Object.defineProperty(globalThis, "localStorage", { value: fakeStorage(), configurable: true });
  const connection = new FakeConnection();
  const write = (room, text) => new Outbox(room, new FakeConnection(), "ada").ask({ text });
  for (const room of rooms) write(room, `from ${room}`);
  return { connection, write, elsewhere: new Elsewhere(connection, "ada", "lobby") };
}

test("what waits in other rooms is sent, each message under its own key", (t) => {
  const { connection, write, elsewhere } = begin(t, "lobby", "tea");
  assert.equal(elsewhere.waiting, 1);
  const later = write("attic", "from a page that was closed");
  connection.tell("hello", {});
  assert.deepEqual(
    connection.sent.map(({ room, text }) => `${room}: ${text}`),
    ["tea: from tea", "attic: from a page that was closed"],
  );
  let changes = 0;
  elsewhere.addEventListener("change", () => changes++);
  for (const { key } of connection.sent) connection.tell("stored", { key, id: "1-0" });
  assert.equal(connection.sent[1].key, later.key);
  assert.ok(changes >= 2);
  assert.equal(elsewhere.waiting, 0);
  assert.deepEqual(Outbox.rooms("ada"), ["lobby"]);
});

test("it is sent again by the next connection, and kept until it is stored", (t) => {
  const { connection, elsewhere } = begin(t, "tea");
  connection.tell("hello", {});
  connection.tell("state", "connecting");
  assert.equal(elsewhere.waiting, 1);
  connection.tell("hello", {});
  assert.equal(connection.sent.length, 2);
  assert.equal(connection.sent[0].key, connection.sent[1].key);
  connection.tell("stored", { key: connection.sent[1].key, id: "1-0" });
  assert.deepEqual(Outbox.rooms("ada"), []);
});

test("a message that was refused is told of, and not sent again", (t) => {
  const { connection, elsewhere } = begin(t, "tea");
  connection.tell("hello", {});
  connection.tell("error", { code: "too_long", message: "Too long.", key: connection.sent[0].key });
  assert.deepEqual([elsewhere.waiting, elsewhere.failed], [0, "tea"]);
  connection.tell("hello", {});
  assert.equal(connection.sent.length, 1);
});
