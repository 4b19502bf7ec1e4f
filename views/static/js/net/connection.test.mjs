import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";
import { Connection, backoff } from "./connection.js";

/** A socket whose other end is the test. */
class FakeSocket {
  static made = [];
  sent = [];
  closed = false;
  onmessage = null;
  onclose = null;

  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
    FakeSocket.made.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  says(...frames) {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** What a socket was asked for in its address. */
const asked = ({ url }) => Object.fromEntries(new URL(url).searchParams);

const hello = { type: "hello", protocol: "burble.v1", user: null, limits: { text: 4000 } };
const followed = (state, at, more) => ({ type: "followed", room: "lobby", state, at, ...more });
const entries = (after, upto) => ({ type: "entries", room: "lobby", after, upto, entries: [{ id: upto.split("@")[0] }] });

function begin(context, cursor = "1-0@e") {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  FakeSocket.made = [];
  const connection = new Connection("ws://host/ws", FakeSocket);
  const heard = [];
  for (const type of ["state", "entries", "followed"]) {
    connection.addEventListener(type, ({ detail }) => heard.push(type === "entries" ? detail.entries[0].id : (detail.state ?? detail)));
  }
  connection.follow("lobby", cursor);
  const socket = () => FakeSocket.made.at(-1);
  return { connection, heard, socket, tick: (milliseconds) => context.mock.timers.tick(milliseconds) };
}

test("the backoff has full jitter and a ceiling", () => {
  assert.equal(backoff(0, () => 0.5), 250);
  assert.equal(backoff(3, () => 0.5), 2_000);
  assert.equal(backoff(50, () => 1), 30_000);
  assert.equal(backoff(50, () => 0), 0);
});

test("it follows from the cursor after hello, and goes on from the cursor reached", (t) => {
  const { connection, heard, socket, tick } = begin(t);
  assert.equal(socket().protocol, "burble.v1");
  assert.deepEqual(asked(socket()), { room: "lobby", html: "true", deflate: "true", after: "1-0@e" });
  socket().says(hello);
  assert.deepEqual(socket().sent, [], "asked twice");
  socket().says(followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"), entries("2-0@e", "3-0@e"));
  assert.deepEqual(heard, ["connecting", "catching", "resumed", "live", "2-0", "3-0"]);
  socket().onclose();
  tick(500);
  socket().says(hello);
  assert.equal(FakeSocket.made.length, 2);
  assert.equal(asked(socket()).after, "3-0@e");
  assert.equal(connection.cursor("lobby"), "3-0@e");
});

test("a hole in the chain drops the socket and resumes from the cursor held", (t) => {
  const { heard, socket, tick } = begin(t);
  const first = socket();
  first.says(hello, followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"), entries("3-0@e", "4-0@e"));
  assert.ok(first.closed);
  assert.ok(!heard.includes("4-0"), "what came after the hole was shown");
  tick(500);
  socket().says(hello);
  assert.equal(asked(socket()).after, "2-0@e");
});

test("a reset and a truncation move the cursor", (t) => {
  const { connection, socket } = begin(t);
  socket().says(hello, followed("truncated", "5-0@e", { first: "5-0@e" }), entries("5-0@e", "6-0@e"));
  assert.equal(connection.cursor("lobby"), "6-0@e");
  socket().says(followed("reset", "0-0@f"), entries("0-0@f", "1-0@f"));
  assert.equal(connection.cursor("lobby"), "1-0@f");
});

test("it is catching up until it reaches the end there was", (t) => {
  const { heard, socket } = begin(t);
  socket().says(hello, followed("resumed", "1-0@e", { last: "3-0@e" }), entries("1-0@e", "2-0@e"), entries("2-0@e", "3-0@e"));
  assert.deepEqual(heard, ["connecting", "catching", "resumed", "2-0", "3-0", "live"]);
});

test("waits grow while sockets do not last, and start anew after one that did", (t) => {
  const { socket, tick } = begin(t);
  t.mock.method(Math, "random", () => 0.999);
  for (const wait of [500, 1_000, 2_000, 4_000]) {
    const before = FakeSocket.made.length;
    socket().onclose();
    tick(wait * 0.9);
    assert.equal(FakeSocket.made.length, before);
    tick(wait * 0.1);
    assert.equal(FakeSocket.made.length, before + 1);
  }
  socket().says(hello, followed("resumed", "1-0@e"));
  tick(11_000);
  socket().onclose();
  tick(500);
  assert.equal(FakeSocket.made.length, 6);
});

test("offline, it waits to be woken", (t) => {
  const { connection, heard, socket, tick } = begin(t);
  const first = socket();
  first.says(hello, followed("resumed", "1-0@e"));
  connection.offline();
  assert.ok(first.closed);
  assert.equal(heard.at(-1), "offline");
  tick(120_000);
  assert.equal(FakeSocket.made.length, 1);
  assert.equal(connection.send({ type: "send" }), false);
  connection.wake();
  assert.equal(FakeSocket.made.length, 2);
});

test("awake after a long silence, it does not believe the socket", (t) => {
  const { connection, socket, tick } = begin(t);
  socket().says(hello, followed("resumed", "1-0@e"));
  tick(31_000);
  connection.wake();
  assert.equal(FakeSocket.made.length, 2);
});

test("awake after a short silence, it asks, and believes an answer", (t) => {
  const { connection, socket, tick } = begin(t);
  socket().says(hello, followed("resumed", "1-0@e"), entries("1-0@e", "2-0@e"));
  tick(10_000);
  connection.wake();
  assert.deepEqual(socket().sent.at(-1), { type: "ping" });
  socket().says({ type: "pong" });
  tick(20_000);
  assert.equal(FakeSocket.made.length, 1);
  connection.wake();
  tick(5_000);
  tick(500);
  assert.equal(FakeSocket.made.length, 2, "no answer");
});

test("a socket that never says hello is given up", (t) => {
  const { socket, tick } = begin(t);
  const first = socket();
  tick(15_000);
  assert.ok(first.closed);
  tick(500);
  assert.equal(FakeSocket.made.length, 2);
});

test("a follow that is refused is tried again later", (t) => {
  const { socket, tick } = begin(t);
  socket().says(hello, { type: "error", code: "unavailable", message: "away", room: "lobby" });
  assert.ok(FakeSocket.made[0].closed);
  tick(500);
  assert.equal(FakeSocket.made.length, 2);
});

test("watched rooms come one by one after the followed one, and have no part in the state", (t) => {
  const { connection, heard, socket, tick } = begin(t);
  const watched = [];
  connection.addEventListener("watched", ({ detail }) => watched.push(`${detail.type} ${detail.room}`));
  connection.watch("kitchen", "5-0");
  connection.watch("garden", null);
  connection.watch("kitchen", "1-0");
  socket().says(hello);
  assert.deepEqual(socket().sent, [{ type: "follow", room: "kitchen", watch: true, deflate: true, after: "5-0" }]);
  tick(100);
  assert.deepEqual(socket().sent.slice(1), [{ type: "follow", room: "garden", watch: true, deflate: true, last: 0 }]);
  socket().says(followed("resumed", "1-0@e"), { ...followed("resumed", "5-0@e"), room: "kitchen" }, { ...entries("5-0@e", "6-0@e"), room: "kitchen" });
  assert.deepEqual(heard, ["connecting", "catching", "resumed", "live"]);
  assert.deepEqual(watched, ["followed kitchen", "entries kitchen"]);
  socket().onclose();
  tick(500);
  socket().says(hello);
  assert.deepEqual([asked(socket()), ...socket().sent].map(({ room, after }) => [room, after]), [["lobby", "1-0@e"], ["kitchen", "6-0@e"]]);
});

test("a watched room that is refused is asked for again, on the same socket", (t) => {
  const { connection, socket, tick } = begin(t);
  connection.watch("kitchen", "5-0");
  socket().says(hello, { type: "error", code: "rate_limited", message: "slow", room: "kitchen", retry_after_ms: 3_000 });
  tick(2_900);
  assert.equal(socket().sent.length, 1);
  tick(100);
  assert.equal(socket().sent.at(-1).room, "kitchen");
  assert.equal(FakeSocket.made.length, 1);
});

test("asleep, nothing but waking opens a socket", (t) => {
  const { connection, heard, socket, tick } = begin(t);
  socket().says(hello, followed("resumed", "1-0@e"));
  connection.close("asleep");
  connection.watch("kitchen", null);
  tick(600_000);
  assert.equal(FakeSocket.made.length, 1);
  assert.equal(heard.at(-1), "asleep");
  connection.wake();
  assert.equal(FakeSocket.made.length, 2);
  socket().says(hello);
  assert.equal(asked(socket()).after, "1-0@e");
});

test("when somebody waits it tries at once, and only what it would try later", (t) => {
  const { connection, socket } = begin(t);
  connection.hurry();
  assert.equal(FakeSocket.made.length, 1, "it is trying");
  socket().onclose();
  connection.hurry();
  connection.hurry();
  assert.equal(FakeSocket.made.length, 2);
  connection.offline();
  connection.hurry();
  assert.equal(FakeSocket.made.length, 2, "the browser knows that it is in vain");
});

test("a compressed message keeps its place among the others", async (t) => {
  const { heard, socket } = begin(t);
  const long = deflateSync(JSON.stringify(entries("1-0@e", "2-0@e")));
  socket().says(hello, followed("resumed", "1-0@e", { last: "4-0@e" }));
  socket().onmessage({ data: new Uint8Array(long).buffer });
  socket().says(entries("2-0@e", "3-0@e"), entries("3-0@e", "4-0@e"));
  assert.deepEqual(heard, ["connecting", "catching", "resumed"]);
  while (heard.at(-1) !== "live") await new Promise(setImmediate);
  assert.deepEqual(heard.slice(3), ["2-0", "3-0", "4-0", "live"]);
});

test("a message that cannot be read is a reason to come back with the cursor held", async (t) => {
  const { heard, socket, tick } = begin(t);
  const first = socket();
  first.says(hello, followed("resumed", "1-0@e"));
  first.onmessage({ data: new Uint8Array([1, 2, 3]).buffer });
  first.says(entries("1-0@e", "2-0@e"));
  while (!first.closed) await new Promise(setImmediate);
  tick(500);
  assert.equal(asked(socket()).after, "1-0@e");
  assert.ok(!heard.includes("2-0"), "what came after it was shown");
});

test("a room followed anew while the socket opens is asked for anew", (t) => {
  const { connection, socket } = begin(t);
  const first = socket();
  connection.follow("lobby", "7-0@e");
  assert.ok(first.closed);
  assert.equal(asked(socket()).after, "7-0@e");
});
