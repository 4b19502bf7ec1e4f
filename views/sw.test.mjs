import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";

const source = readFileSync(new URL("sw.js", import.meta.url), "utf8");

/** A worker that holds pages, and a network that answers when it is told to. */
function begin(context, held = {}) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const listeners = {};
  const pages = new Map(Object.entries(held));
  const cache = {
    match: async (name) => pages.has(name) ? new Response(pages.get(name)) : undefined,
    put: async (name, response) => pages.set(name, await response.text()),
    keys: async () => [],
  };
  const globals = {
    VERSION: "1", FILES: [], Response, Headers, URL, setTimeout, location: new URL("http://burble/"),
    caches: { open: async () => cache }, addEventListener: (type, listener) => (listeners[type] = listener),
  };
  vm.runInNewContext(source, globals);
  /** Opens a page: the body it is given, and how the network answers. */
  const open = (path) => {
    let answer;
    const event = {
      request: { url: `http://burble${path}`, method: "GET", mode: "navigate" },
      preloadResponse: new Promise((resolve) => (answer = resolve)),
      extended: [],
      respondWith: (given) => (event.given = given.then((response) => response.text())),
      waitUntil: (work) => event.extended.push(work),
    };
    listeners.fetch(event);
    return { ...event, answer: (body, status = 200) => answer(new Response(body, { status, headers: { "Content-Type": "text/html" } })) };
  };
  /** Lets what was promised happen. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { open, pages, settle, tick: async (milliseconds) => (await settle(), context.mock.timers.tick(milliseconds)) };
}

test("a page that comes late is kept for the next time", async (t) => {
  const { open, pages, tick } = begin(t, { "/r/lobby": "old" });
  const opened = open("/r/lobby");
  await tick(4_000);
  assert.equal(await opened.given, "old");
  opened.answer('<body class="room">new');
  await Promise.all(opened.extended);
  assert.equal(pages.get("/r/lobby"), '<body data-shell class="room">new');
});

test("one that comes at once is given and kept; an accident of the server is neither", async (t) => {
  const { open, pages } = begin(t, { "/r/lobby": "old" });
  const opened = open("/r/lobby");
  opened.answer('<body class="room">new');
  assert.equal(await opened.given, '<body class="room">new');
  await Promise.all(opened.extended);
  assert.equal(pages.get("/r/lobby"), '<body data-shell class="room">new');
  const again = open("/r/lobby");
  again.answer("oh", 503);
  assert.equal(await again.given, pages.get("/r/lobby"));
  await Promise.all(again.extended);
  assert.equal(pages.get("/r/lobby"), '<body data-shell class="room">new');
});

test("a place in a room is given, and not kept as the room", async (t) => {
  const { open, pages } = begin(t);
  const opened = open("/r/lobby/1-0");
  opened.answer("<body>a place");
  assert.equal(await opened.given, "<body>a place");
  await Promise.all(opened.extended);
  assert.equal(pages.size, 0);
});
