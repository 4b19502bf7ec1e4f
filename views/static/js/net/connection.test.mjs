import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";
import { Connection, backoff } from "./connection.js";

/** FakeSocket is a WebSocket for which the test acts as the server. */
class FakeSocket {
  static instances = [];
  sent = [];
  isClosed = false;
  onmessage = null;
  onclose = null;

  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
    FakeSocket.instances.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.isClosed = true;
  }

  receive(...frames) {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** Returns the follow request in a socket's URL. */
const requestOf = ({ url }) => Object.fromEntries(new URL(url).searchParams);

const hello = { type: "hello", protocol: "burble.v1", user: null, limits: { text: 4000 } };

/** Returns a `followed` frame for the lobby. The cursor "1-0@e" is entry 1-0 in epoch e. */
const followed = (state, at, fields) => ({ type: "followed", room: "lobby", state, at, ...fields });
/** Returns an `entries` frame for the lobby with one entry, at `upto`. */
const entries = (after, upto) => ({ type: "entries", room: "lobby", after, upto, entries: [{ id: upto.split("@")[0] }] });

/**
 * Follows the lobby from cursor 1-0@e. socket() returns the newest socket. `events` records the
 * connection's states, the state in each `followed` frame, and the IDs of entries.
 */
function connect(context) {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  context.mock.method(performance, "now", () => Date.now());
  FakeSocket.instances = [];
  const connection = new Connection("ws://host/ws", FakeSocket);
  const events = [];
  connection.addEventListener("state", ({ detail: state }) => events.push(state));
  connection.addEventListener("followed", ({ detail: { state } }) => events.push(state));
  connection.addEventListener("entries", ({ detail }) => events.push(detail.entries[0].id));
  connection.follow("lobby", "1-0@e");
  const socket = () => FakeSocket.instances.at(-1);
  return { connection, events, socket, tick: (milliseconds) => context.mock.timers.tick(milliseconds) };
}

test("the backoff has full jitter and a maximum", () => {
  assert.equal(backoff(0, () => 0.5), 250);
  assert.equal(backoff(3, () => 0.5), 2_000);
  assert.equal(backoff(50, () => 1), 30_000);
  assert.equal(backoff(50, () => 0), 0);
});

test("a new socket resumes from the cursor of the last entries frame", (t) => {
  const { connection, events, socket, tick } = connect(t);
  assert.equal(socket().protocol, "burble.v1");
  assert.deepEqual(requestOf(socket()), { room: "lobby", html: "true", deflate: "true", after: "1-0@e" });
  socket().receive(hello);
  assert.deepEqual(socket().sent, [], "followed the room again, although the URL had already requested it");
  socket().receive(followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"), entries("2-0@e", "3-0@e"));
  assert.deepEqual(events, ["connecting", "catching-up", "resumed", "live", "2-0", "3-0"]);
  socket().onclose();
  tick(500);
  socket().receive(hello);
  assert.equal(FakeSocket.instances.length, 2);
  assert.equal(requestOf(socket()).after, "3-0@e");
  assert.equal(connection.cursor("lobby"), "3-0@e");
});

test("after a gap, a new socket resumes from the cursor before the gap", (t) => {
  const { events, socket, tick } = connect(t);
  const first = socket();
  first.receive(hello, followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"), entries("3-0@e", "4-0@e"));
  assert.ok(first.isClosed);
  assert.ok(!events.includes("4-0"), "dispatched the entry after the gap");
  tick(500);
  socket().receive(hello);
  assert.equal(requestOf(socket()).after, "2-0@e");
});

test("a truncated or reset frame replaces the cursor", (t) => {
  const { connection, socket } = connect(t);
  socket().receive(hello, followed("truncated", "5-0@e", { first: "5-0@e" }), entries("5-0@e", "6-0@e"));
  assert.equal(connection.cursor("lobby"), "6-0@e");
  socket().receive(followed("reset", "0-0@f"), entries("0-0@f", "1-0@f"));
  assert.equal(connection.cursor("lobby"), "1-0@f");
});

test("the state is catching-up until the last entry named in followed arrives", (t) => {
  const { events, socket } = connect(t);
  socket().receive(hello, followed("resumed", "1-0@e", { last: "3-0@e" }), entries("1-0@e", "2-0@e"), entries("2-0@e", "3-0@e"));
  assert.deepEqual(events, ["connecting", "catching-up", "resumed", "2-0", "3-0", "live"]);
});

test("the backoff doubles, and starts over after a socket has stayed open", (t) => {
  const { socket, tick } = connect(t);
  t.mock.method(Math, "random", () => 0.999);
  for (const delay of [500, 1_000, 2_000, 4_000]) {
    const before = FakeSocket.instances.length;
    socket().onclose();
    tick(delay * 0.9);
    assert.equal(FakeSocket.instances.length, before);
    tick(delay * 0.1);
    assert.equal(FakeSocket.instances.length, before + 1);
  }
  socket().receive(hello, followed("resumed", "1-0@e"));
  tick(11_000);
  socket().onclose();
  tick(500);
  assert.equal(FakeSocket.instances.length, 6);
});

test("while offline, only wake() opens a socket", (t) => {
  const { connection, events, socket, tick } = connect(t);
  const first = socket();
  first.receive(hello, followed("resumed", "1-0@e"));
  connection.offline();
  assert.ok(first.isClosed);
  assert.equal(events.at(-1), "offline");
  tick(120_000);
  assert.equal(FakeSocket.instances.length, 1);
  assert.equal(connection.send({ type: "send" }), false);
  connection.wake();
  assert.equal(FakeSocket.instances.length, 2);
});

test("wake() replaces the socket after a long silence", (t) => {
  const { connection, socket, tick } = connect(t);
  socket().receive(hello, followed("resumed", "1-0@e"));
  tick(31_000);
  connection.wake();
  assert.equal(FakeSocket.instances.length, 2);
});

test("after a short silence, wake() sends a ping, and replaces the socket if no frame follows", (t) => {
  const { connection, socket, tick } = connect(t);
  socket().receive(hello, followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"));
  tick(10_000);
  connection.wake();
  assert.deepEqual(socket().sent.at(-1), { type: "ping" });
  socket().receive({ type: "pong" });
  tick(20_000);
  assert.equal(FakeSocket.instances.length, 1);
  connection.wake();
  tick(5_000);
  tick(500);
  assert.equal(FakeSocket.instances.length, 2, "kept the socket after an unanswered ping");
});

test("the device's clock affects neither the server time nor the backoff", (t) => {
  const { connection, socket, tick } = connect(t);
  const start = 1_000_000_000_000;
  let shift = 0; // of the device's clock
  t.mock.method(Date, "now", () => performance.now() + shift);
  let awake = 0;
  t.mock.method(performance, "now", () => awake);
  assert.equal(connection.serverTime, undefined);
  connection.renew();
  assert.equal(FakeSocket.instances.length, 1, "replaced a socket that was still waiting for hello");
  socket().receive({ ...hello, time: start }, followed("resumed", "1-0@e"));
  awake += 5_000;
  shift = 30_000; // an ordinary correction
  assert.equal(connection.serverTime, start + 5_000);
  for (shift of [86_400_000, -86_400_000]) {
    assert.equal(connection.serverTime, undefined);
    connection.renew();
    socket().receive({ ...hello, time: start + awake });
    awake += 1_000;
    assert.equal(connection.serverTime, start + awake);
  }
  assert.equal(FakeSocket.instances.length, 3);

  t.mock.method(Math, "random", () => 0.999);
  for (const delay of [500, 1_000]) {
    socket().receive(hello, followed("resumed", "1-0@e"));
    shift += 86_400_000;
    socket().onclose();
    tick(delay * 0.9);
    const before = FakeSocket.instances.length;
    tick(delay * 0.1);
    assert.equal(FakeSocket.instances.length, before + 1);
  }
});

test("idleTime is the longer of the times that the two clocks measure", (t) => {
  const { connection, socket } = connect(t);
  let [awake, date] = [0, 1_000_000];
  t.mock.method(Date, "now", () => date);
  t.mock.method(performance, "now", () => awake);
  socket().receive(hello, followed("resumed", "1-0@e"));
  date += 40_000; // the device has slept
  connection.wake();
  assert.equal(FakeSocket.instances.length, 2);
  socket().receive(hello, followed("resumed", "1-0@e"));
  date -= 86_400_000;
  awake += 40_000;
  connection.wake();
  assert.equal(FakeSocket.instances.length, 3);
});

test("if an older server sends no time, serverTime is the device's", (t) => {
  const { connection, socket } = connect(t);
  t.mock.timers.setTime(1_000_000);
  socket().receive(hello);
  assert.equal(connection.serverTime, 1_000_000);
});

test("a socket is replaced if hello does not arrive", (t) => {
  const { socket, tick } = connect(t);
  const first = socket();
  tick(15_000);
  assert.ok(first.isClosed);
  tick(500);
  assert.equal(FakeSocket.instances.length, 2);
});

test("a refused follow is retried on a new socket", (t) => {
  const { socket, tick } = connect(t);
  socket().receive(hello, { type: "error", code: "unavailable", message: "away", room: "lobby" });
  assert.ok(FakeSocket.instances[0].isClosed);
  tick(500);
  assert.equal(FakeSocket.instances.length, 2);
});

test("watched rooms are requested one at a time, and do not affect the state", (t) => {
  const { connection, events, socket, tick } = connect(t);
  const watched = [];
  connection.addEventListener("watched", ({ detail }) => watched.push(`${detail.type} ${detail.room}`));
  connection.watch("kitchen", "5-0");
  connection.watch("garden", null);
  connection.watch("kitchen", "1-0");
  socket().receive(hello);
  assert.deepEqual(socket().sent, [{ type: "follow", room: "kitchen", watch: true, deflate: true, after: "5-0" }]);
  tick(100);
  assert.deepEqual(socket().sent.slice(1), [{ type: "follow", room: "garden", watch: true, deflate: true, last: 0 }]);
  socket().receive(followed("resumed", "1-0@e"), { ...followed("resumed", "5-0@e"), room: "kitchen" }, { ...entries("5-0@e", "6-0@e"), room: "kitchen" });
  assert.deepEqual(events, ["connecting", "catching-up", "resumed", "live"]);
  assert.deepEqual(watched, ["followed kitchen", "entries kitchen"]);
  socket().onclose();
  tick(500);
  socket().receive(hello);
  assert.deepEqual([requestOf(socket()), ...socket().sent].map(({ room, after }) => [room, after]), [["lobby", "1-0@e"], ["kitchen", "6-0@e"]]);
});

test("a refused watch is retried on the same socket", (t) => {
  const { connection, socket, tick } = connect(t);
  connection.watch("kitchen", "5-0");
  socket().receive(hello, { type: "error", code: "rate_limited", message: "slow", room: "kitchen", retry_after_ms: 3_000 });
  tick(2_900);
  assert.equal(socket().sent.length, 1);
  tick(100);
  assert.equal(socket().sent.at(-1).room, "kitchen");
  assert.equal(FakeSocket.instances.length, 1);
});

test("while asleep, only wake() opens a socket", (t) => {
  const { connection, events, socket, tick } = connect(t);
  socket().receive(hello, followed("resumed", "1-0@e"));
  connection.close("asleep");
  connection.watch("kitchen", null);
  tick(600_000);
  assert.equal(FakeSocket.instances.length, 1);
  assert.equal(events.at(-1), "asleep");
  connection.wake();
  assert.equal(FakeSocket.instances.length, 2);
  socket().receive(hello);
  assert.equal(requestOf(socket()).after, "1-0@e");
});

test("retryNow() opens a socket only while the connection waits to retry", (t) => {
  const { connection, socket } = connect(t);
  connection.retryNow();
  assert.equal(FakeSocket.instances.length, 1, "opened a second socket");
  socket().onclose();
  connection.retryNow();
  connection.retryNow();
  assert.equal(FakeSocket.instances.length, 2);
  connection.offline();
  connection.retryNow();
  assert.equal(FakeSocket.instances.length, 2, "opened a socket while offline");
});

test("frames stay in order while a compressed frame is decompressed", async (t) => {
  const { events, socket } = connect(t);
  const compressed = deflateSync(JSON.stringify(entries("1-0@e", "2-0@e")));
  socket().receive(hello, followed("resumed", "1-0@e", { last: "4-0@e" }));
  socket().onmessage({ data: new Uint8Array(compressed).buffer });
  socket().receive(entries("2-0@e", "3-0@e"), entries("3-0@e", "4-0@e"));
  assert.deepEqual(events, ["connecting", "catching-up", "resumed"]);
  while (events.at(-1) !== "live") await new Promise(setImmediate);
  assert.deepEqual(events.slice(3), ["2-0", "3-0", "4-0", "live"]);
});

test("the socket is replaced after a frame that cannot be decoded", async (t) => {
  const { events, socket, tick } = connect(t);
  const first = socket();
  first.receive(hello, followed("resumed", "1-0@e"));
  first.onmessage({ data: new Uint8Array([1, 2, 3]).buffer });
  first.receive(entries("1-0@e", "2-0@e"));
  while (!first.isClosed) await new Promise(setImmediate);
  tick(500);
  assert.equal(requestOf(socket()).after, "1-0@e");
  assert.ok(!events.includes("2-0"), "dispatched a later frame");
});

test("following from another cursor before hello arrives replaces the socket", (t) => {
  const { connection, socket } = connect(t);
  const first = socket();
  connection.follow("lobby", "7-0@e");
  assert.ok(first.isClosed);
  assert.equal(requestOf(socket()).after, "7-0@e");
});

test("a socket that closes before it opens is reported", (t) => {
  const { connection, socket, tick } = connect(t);
  const unopened = [];
  connection.addEventListener("unopened", ({ detail }) => unopened.push(detail.timedOut));
  socket().onclose();
  tick(1_000);
  tick(15_000); // without a frame
  tick(1_000);
  socket().onopen();
  socket().onclose();
  assert.deepEqual(unopened, [false, true]);
});

test("after setSocketClass, the new socket resumes from the cursor", (t) => {
  const { connection, events, socket } = connect(t);
  socket().receive(hello, followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"));
  const old = socket();
  class OtherSocket extends FakeSocket {}
  connection.setSocketClass(OtherSocket);
  assert.ok(old.isClosed);
  assert.ok(socket() instanceof OtherSocket);
  assert.equal(requestOf(socket()).after, "2-0@e");
  socket().receive(hello, followed("resumed", "2-0@e"), entries("2-0@e", "3-0@e"));
  assert.equal(events.at(-1), "3-0");
});

test("a closed room is no longer followed, not even by the next socket", (t) => {
  const { connection, socket } = connect(t);
  const closed = [];
  connection.addEventListener("closed", ({ detail }) => closed.push(detail));
  socket().receive(hello, followed("resumed", "1-0@e"), { type: "closed", room: "lobby", code: "removed" });
  assert.deepEqual(closed, [{ type: "closed", room: "lobby", code: "removed" }]);
  assert.equal(connection.cursor("lobby"), null);
  connection.renew();
  assert.deepEqual(requestOf(socket()), {});
  socket().receive(hello);
  assert.deepEqual(socket().sent, []);
});

test("a room that the user may no longer see is closed", (t) => {
  const { connection, socket } = connect(t);
  const closed = [];
  connection.addEventListener("closed", ({ detail }) => closed.push(detail));
  const refusal = (room) => ({ type: "error", code: "not_found", message: "There is no such room", room });
  connection.watch("kitchen", "1-0@e");
  socket().receive(hello, refusal("lobby"), refusal("kitchen"));
  assert.deepEqual(closed, [{ room: "lobby", code: "removed" }, { room: "kitchen", code: "removed" }]);
  assert.equal(FakeSocket.instances.length, 1);
});
