import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

const stored = new Map();
globalThis.localStorage = {
  getItem: (key) => stored.get(key) ?? null,
  setItem: (key, value) => stored.set(key, value),
  removeItem: (key) => stored.delete(key),
};
globalThis.document = { body: { dataset: { user: "1", name: "Ada", host: "chat.example" } } };
globalThis.location = new URL("https://chat.example/r/lobby");
const window = new EventTarget();
globalThis.addEventListener = window.addEventListener.bind(window);
globalThis.removeEventListener = window.removeEventListener.bind(window);

/** FakeWebSocket receives nothing, as if it were blocked, unless the test calls onmessage. */
class FakeWebSocket {
  static last;
  constructor() {
    FakeWebSocket.last = this;
  }
  close() {
    queueMicrotask(() => this.onclose?.());
  }
}
globalThis.WebSocket = FakeWebSocket;

/** FakeConnection records the classes passed to setSocketClass. */
class FakeConnection extends EventTarget {
  url = "wss://chat.example/ws";
  classes = [];
  setSocketClass(socketClass) {
    this.classes.push(socketClass);
  }
}

let requests; // as [path, options, respond]
beforeEach(() => {
  requests = [];
  stored.clear();
  globalThis.fetch = (path, options) => new Promise((respond) => requests.push([path, options, respond]));
});
afterEach(() => delete globalThis.fetch);

const settle = () => new Promise((done) => setImmediate(done));

/** Loads a new copy of the module, as a new page does. A module falls back only once. */
const load = () => import(`./fallback.js?${Math.random()}`);

test("HTTP replaces WebSockets after two sockets do not open although the server is reachable", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { fallBack, HTTPSocket } = await load();
  const connection = new FakeConnection();
  globalThis.fetch = async () => ({ ok: false });
  for (let i = 0; i < 5; i++) await fallBack(connection, { timedOut: true });
  assert.deepEqual(connection.classes, [], "replaced WebSockets although the server is down");
  globalThis.fetch = async () => new Response();
  await fallBack(connection, { timedOut: false });
  connection.dispatchEvent(new Event("hello"));
  await fallBack(connection, { timedOut: false });
  assert.deepEqual(connection.classes, [], "replaced WebSockets although a socket opened in between");
  await fallBack(connection, { timedOut: false });
  assert.deepEqual(connection.classes, [HTTPSocket]);
  await fallBack(connection, { timedOut: false });
  assert.equal(connection.classes.length, 1);
});

test("HTTP replaces WebSockets after one socket times out, and the next page begins with HTTP", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.fetch = async () => new Response();
  const first = await load();
  const connection = new FakeConnection();
  await first.fallBack(connection, { timedOut: true });
  assert.deepEqual(connection.classes, [first.HTTPSocket]);
  const next = await load();
  const otherConnection = new FakeConnection();
  await next.fallBack(otherConnection);
  assert.deepEqual(otherConnection.classes, [next.HTTPSocket]);
});

test("WebSockets are used again once one is not blocked", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.fetch = async () => new Response();
  const { fallBack, HTTPSocket } = await load();
  const connection = new FakeConnection();
  await fallBack(connection, { timedOut: true });
  t.mock.timers.tick(60_000);
  FakeWebSocket.last.onclose(); // blocked
  const blocked = FakeWebSocket.last;
  t.mock.timers.tick(119_000);
  assert.equal(FakeWebSocket.last, blocked, "the delay has not grown");
  window.dispatchEvent(new Event("online"));
  assert.notEqual(FakeWebSocket.last, blocked);
  FakeWebSocket.last.onmessage({ data: `{"type":"hello"}` });
  await settle();
  assert.deepEqual(connection.classes, [HTTPSocket, FakeWebSocket]);
  assert.equal(stored.size, 0);
});

/** Returns a response whose body the test writes. */
function streamedResponse() {
  let controller;
  const body = new ReadableStream({ start: (its) => (controller = its) });
  return { ok: true, body, write: (text) => controller.enqueue(new TextEncoder().encode(text)), end: () => controller.close() };
}

/** Opens an HTTPSocket that follows the lobby. */
async function open() {
  const { HTTPSocket } = await load();
  const socket = new HTTPSocket("wss://chat.example/ws?room=lobby&html=true&deflate=true&after=1-0%40e");
  const events = [];
  socket.onopen = () => events.push("open");
  socket.onmessage = ({ data }) => events.push(data);
  socket.onclose = () => events.push("close");
  return { socket, events };
}

test("lines become frames, and the end of the response closes the socket", async () => {
  const { events } = await open();
  const [[path, , respond]] = requests;
  assert.equal(path, "/r/lobby/frames?html=true&after=1-0%40e");
  const response = streamedResponse();
  respond(response);
  response.write(`{"type":"hello"}\n{"type":"follo`);
  await settle();
  response.write(`wed","room":"lobby"}\n\n`);
  await settle();
  assert.deepEqual(events, ["open", `{"type":"hello"}`, `{"type":"followed","room":"lobby"}`, `{"type":"pong"}`]);
  response.end();
  await settle();
  assert.equal(events.at(-1), "close");
});

test("a refused request closes the socket before it opens", async () => {
  const { events } = await open();
  requests[0][2]({ ok: false });
  await settle();
  assert.deepEqual(events, ["close"]);
});

test("another follow replaces the response, without another hello", async () => {
  const { socket, events } = await open();
  const first = streamedResponse();
  requests[0][2](first);
  first.write(`{"type":"hello"}\n`);
  await settle();
  socket.send(JSON.stringify({ type: "follow", room: "lobby", html: true, after: "9-0@e" }));
  assert.ok(requests[0][1].signal.aborted);
  const second = streamedResponse();
  requests[1][2](second);
  second.write(`{"type":"hello"}\n{"type":"followed"}\n`);
  await settle();
  assert.deepEqual(events, ["open", `{"type":"hello"}`, `{"type":"followed"}`]);
});

test("frames are posted, and the replies become frames", async () => {
  const { socket, events } = await open();
  const send = async (frame, response) => {
    socket.send(JSON.stringify({ room: "lobby", ...frame }));
    requests.at(-1)[2](response);
    await settle();
    return events.pop();
  };
  const json = (status, body, headers = {}) => new Response(JSON.stringify(body), { status, headers });
  assert.equal(await send({ type: "send", key: "k" }, json(200, { type: "stored", key: "k" })), `{"type":"stored","key":"k"}`);
  assert.deepEqual(JSON.parse(await send({ type: "react", key: "k" }, json(429, { error: { code: "rate_limited" } }, { "Retry-After": "2" }))), {
    type: "error", code: "rate_limited", room: "lobby", key: "k", retry_after_ms: 2_000,
  });
  assert.equal(await send({ type: "read", id: "1-0" }, new Response(null, { status: 204 })), undefined);
  assert.equal(await send({ type: "send", key: "k" }, new Response("<h1>Bad gateway</h1>", { status: 502 })), undefined);
  const count = requests.length;
  socket.send(`{"type":"typing","room":"lobby"}`);
  assert.equal(requests.length, count);
});

test("a watched room keeps its cursor", async () => {
  const { socket, events } = await open();
  socket.send(`{"type":"follow","room":"tea","watch":true,"after":"5-0@t"}`);
  socket.send(`{"type":"follow","room":"new","watch":true,"last":0}`);
  assert.deepEqual(events.map(JSON.parse), [{ type: "followed", room: "tea", state: "resumed", at: "5-0@t", last: "5-0@t" }]);
});

test("without a room, a socket stays open while the server is reachable, and hello has the server's time", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { HTTPSocket } = await load();
  const socket = new HTTPSocket("wss://chat.example/ws");
  const frames = [];
  socket.onmessage = ({ data }) => frames.push(JSON.parse(data));
  requests[0][2](new Response("", { headers: { Date: "Mon, 02 Mar 2026 10:00:00 GMT" } }));
  await settle();
  socket.close();
  assert.deepEqual(frames, [{ type: "hello", user: { id: "1", name: "Ada" }, time: Date.parse("2026-03-02T10:00:00Z"), limits: { files: {} } }]);
});

test("a ping is answered only while heartbeats arrive", async (t) => {
  const { socket, events } = await open();
  socket.send(`{"type":"ping"}`);
  assert.deepEqual(events, []);
  const response = streamedResponse();
  requests[0][2](response);
  response.write("\n");
  await settle();
  socket.send(`{"type":"ping"}`);
  assert.deepEqual(events, ["open", `{"type":"pong"}`, `{"type":"pong"}`]);
});
