import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";
import { Connection, backoff } from "./connection.js";

/** FakeSocket is a WebSocket whose other end is the test. */
class FakeSocket {
  static all = [];
  sent = [];
  closed = false;
  onmessage = null;
  onclose = null;

  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
    FakeSocket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  receive(...frames) {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** Returns the follow request in a socket's URL. */
const queryOf = ({ url }) => Object.fromEntries(new URL(url).searchParams);

const hello = { type: "hello", protocol: "burble.v1", user: null, limits: { text: 4000 } };
const followed = (state, at, more) => ({ type: "followed", room: "lobby", state, at, ...more });
const entries = (after, upto) => ({ type: "entries", room: "lobby", after, upto, entries: [{ id: upto.split("@")[0] }] });

/** Follows the lobby. `events` collects the states, of the connection and in `followed` frames, and the IDs of entries. */
function connect(context, cursor = "1-0@e") {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  FakeSocket.all = [];
  const connection = new Connection("ws://host/ws", FakeSocket);
  const events = [];
  for (const type of ["state", "entries", "followed"]) {
    connection.addEventListener(type, ({ detail }) => events.push(type === "entries" ? detail.entries[0].id : (detail.state ?? detail)));
  }
  connection.follow("lobby", cursor);
  const socket = () => FakeSocket.all.at(-1);
  return { connection, events, socket, tick: (milliseconds) => context.mock.timers.tick(milliseconds) };
}

test("the backoff has full jitter and a maximum", () => {
  assert.equal(backoff(0, () => 0.5), 250);
  assert.equal(backoff(3, () => 0.5), 2_000);
  assert.equal(backoff(50, () => 1), 30_000);
  assert.equal(backoff(50, () => 0), 0);
});

test("a new socket resumes from the last cursor", (t) => {
  const { connection, events, socket, tick } = connect(t);
  assert.equal(socket().protocol, "burble.v1");
  assert.deepEqual(queryOf(socket()), { room: "lobby", html: "true", deflate: "true", after: "1-0@e" });
  socket().receive(hello);
  assert.deepEqual(socket().sent, [], "the room was requested twice");
  socket().receive(followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"), entries("2-0@e", "3-0@e"));
  assert.deepEqual(events, ["connecting", "catching", "resumed", "live", "2-0", "3-0"]);
  socket().onclose();
  tick(500);
  socket().receive(hello);
  assert.equal(FakeSocket.all.length, 2);
  assert.equal(queryOf(socket()).after, "3-0@e");
  assert.equal(connection.cursor("lobby"), "3-0@e");
});

test("after a gap, a new socket resumes from the cursor before the gap", (t) => {
  const { events, socket, tick } = connect(t);
  const first = socket();
  first.receive(hello, followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"), entries("3-0@e", "4-0@e"));
  assert.ok(first.closed);
  assert.ok(!events.includes("4-0"), "the entry after the gap was dispatched");
  tick(500);
  socket().receive(hello);
  assert.equal(queryOf(socket()).after, "2-0@e");
});

test("reset and truncated move the cursor", (t) => {
  const { connection, socket } = connect(t);
  socket().receive(hello, followed("truncated", "5-0@e", { first: "5-0@e" }), entries("5-0@e", "6-0@e"));
  assert.equal(connection.cursor("lobby"), "6-0@e");
  socket().receive(followed("reset", "0-0@f"), entries("0-0@f", "1-0@f"));
  assert.equal(connection.cursor("lobby"), "1-0@f");
});

test("the state is catching until the room reaches the end it had when it was followed", (t) => {
  const { events, socket } = connect(t);
  socket().receive(hello, followed("resumed", "1-0@e", { last: "3-0@e" }), entries("1-0@e", "2-0@e"), entries("2-0@e", "3-0@e"));
  assert.deepEqual(events, ["connecting", "catching", "resumed", "2-0", "3-0", "live"]);
});

test("the backoff grows until a socket stays open", (t) => {
  const { socket, tick } = connect(t);
  t.mock.method(Math, "random", () => 0.999);
  for (const wait of [500, 1_000, 2_000, 4_000]) {
    const before = FakeSocket.all.length;
    socket().onclose();
    tick(wait * 0.9);
    assert.equal(FakeSocket.all.length, before);
    tick(wait * 0.1);
    assert.equal(FakeSocket.all.length, before + 1);
  }
  socket().receive(hello, followed("resumed", "1-0@e"));
  tick(11_000);
  socket().onclose();
  tick(500);
  assert.equal(FakeSocket.all.length, 6);
});

test("while offline, only wake() opens a socket", (t) => {
  const { connection, events, socket, tick } = connect(t);
  const first = socket();
  first.receive(hello, followed("resumed", "1-0@e"));
  connection.offline();
  assert.ok(first.closed);
  assert.equal(events.at(-1), "offline");
  tick(120_000);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(connection.send({ type: "send" }), false);
  connection.wake();
  assert.equal(FakeSocket.all.length, 2);
});

test("wake() replaces the socket after a long silence", (t) => {
  const { connection, socket, tick } = connect(t);
  socket().receive(hello, followed("resumed", "1-0@e"));
  tick(31_000);
  connection.wake();
  assert.equal(FakeSocket.all.length, 2);
});

test("after a short silence, wake() probes the socket, and replaces it if there is no answer", (t) => {
  const { connection, socket, tick } = connect(t);
  socket().receive(hello, followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"));
  tick(10_000);
  connection.wake();
  assert.deepEqual(socket().sent.at(-1), { type: "ping" });
  socket().receive({ type: "pong" });
  tick(20_000);
  assert.equal(FakeSocket.all.length, 1);
  connection.wake();
  tick(5_000);
  tick(500);
  assert.equal(FakeSocket.all.length, 2, "the socket was kept after an unanswered probe");
});

test("a socket that receives no hello is replaced", (t) => {
  const { socket, tick } = connect(t);
  const first = socket();
  tick(15_000);
  assert.ok(first.closed);
  tick(500);
  assert.equal(FakeSocket.all.length, 2);
});

test("a refused follow is retried on a new socket", (t) => {
  const { socket, tick } = connect(t);
  socket().receive(hello, { type: "error", code: "unavailable", message: "away", room: "lobby" });
  assert.ok(FakeSocket.all[0].closed);
  tick(500);
  assert.equal(FakeSocket.all.length, 2);
});

test("watched rooms are requested one by one after the followed room, and do not affect the state", (t) => {
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
  assert.deepEqual(events, ["connecting", "catching", "resumed", "live"]);
  assert.deepEqual(watched, ["followed kitchen", "entries kitchen"]);
  socket().onclose();
  tick(500);
  socket().receive(hello);
  assert.deepEqual([queryOf(socket()), ...socket().sent].map(({ room, after }) => [room, after]), [["lobby", "1-0@e"], ["kitchen", "6-0@e"]]);
});

test("a refused watch is retried on the same socket", (t) => {
  const { connection, socket, tick } = connect(t);
  connection.watch("kitchen", "5-0");
  socket().receive(hello, { type: "error", code: "rate_limited", message: "slow", room: "kitchen", retry_after_ms: 3_000 });
  tick(2_900);
  assert.equal(socket().sent.length, 1);
  tick(100);
  assert.equal(socket().sent.at(-1).room, "kitchen");
  assert.equal(FakeSocket.all.length, 1);
});

test("while asleep, only wake() opens a socket", (t) => {
  const { connection, events, socket, tick } = connect(t);
  socket().receive(hello, followed("resumed", "1-0@e"));
  connection.close("asleep");
  connection.watch("kitchen", null);
  tick(600_000);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(events.at(-1), "asleep");
  connection.wake();
  assert.equal(FakeSocket.all.length, 2);
  socket().receive(hello);
  assert.equal(queryOf(socket()).after, "1-0@e");
});

test("hurry() ends the wait between two attempts, and has no other effect", (t) => {
  const { connection, socket } = connect(t);
  connection.hurry();
  assert.equal(FakeSocket.all.length, 1, "hurry opened a second socket");
  socket().onclose();
  connection.hurry();
  connection.hurry();
  assert.equal(FakeSocket.all.length, 2);
  connection.offline();
  connection.hurry();
  assert.equal(FakeSocket.all.length, 2, "hurry opened a socket while offline");
});

test("frames stay in order while a compressed one is inflated", async (t) => {
  const { events, socket } = connect(t);
  const compressed = deflateSync(JSON.stringify(entries("1-0@e", "2-0@e")));
  socket().receive(hello, followed("resumed", "1-0@e", { last: "4-0@e" }));
  socket().onmessage({ data: new Uint8Array(compressed).buffer });
  socket().receive(entries("2-0@e", "3-0@e"), entries("3-0@e", "4-0@e"));
  assert.deepEqual(events, ["connecting", "catching", "resumed"]);
  while (events.at(-1) !== "live") await new Promise(setImmediate);
  assert.deepEqual(events.slice(3), ["2-0", "3-0", "4-0", "live"]);
});

test("the socket is replaced after an unreadable frame", async (t) => {
  const { events, socket, tick } = connect(t);
  const first = socket();
  first.receive(hello, followed("resumed", "1-0@e"));
  first.onmessage({ data: new Uint8Array([1, 2, 3]).buffer });
  first.receive(entries("1-0@e", "2-0@e"));
  while (!first.closed) await new Promise(setImmediate);
  tick(500);
  assert.equal(queryOf(socket()).after, "1-0@e");
  assert.ok(!events.includes("2-0"), "the frame after the unreadable one was dispatched");
});

test("a follow from another cursor replaces a socket that is still opening", (t) => {
  const { connection, socket } = connect(t);
  const first = socket();
  connection.follow("lobby", "7-0@e");
  assert.ok(first.closed);
  assert.equal(queryOf(socket()).after, "7-0@e");
});
