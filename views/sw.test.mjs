import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";

const source = readFileSync(new URL("sw.js", import.meta.url), "utf8");

/** TestResponse allows redirects to a path, as in a service worker. */
class TestResponse extends Response {
  static redirect = (path, status) => new Response(null, { status, headers: { Location: path } });
}

/** Starts a worker with these pages in its cache, by path. */
function startWorker(context, cached = {}) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const listeners = {};
  const pages = new Map(Object.entries(cached));
  const cache = {
    match: async (name) => pages.has(name) ? new Response(pages.get(name)) : undefined,
    put: async (name, response) => pages.set(name, await response.text()),
    keys: async () => [],
  };
  const globals = {
    VERSION: "1", FILES: [], Response: TestResponse, Headers, URL, setTimeout, location: new URL("http://burble/"),
    caches: { open: async () => cache }, addEventListener: (type, listener) => (listeners[type] = listener),
  };
  vm.runInNewContext(source, globals);
  /**
   * Navigates to a path. respond() sends the response of the server, `body` is the body that the worker
   * returns to the browser, and `waiting` are the promises passed to waitUntil.
   */
  const navigate = (path) => {
    let resolve, reject;
    const event = {
      request: { url: `http://burble${path}`, method: "GET", mode: "navigate" },
      preloadResponse: new Promise((...settle) => ([resolve, reject] = settle)),
      waiting: [],
      respondWith: (response) => Object.assign(event, { response, body: response.then((response) => response.text()) }),
      waitUntil: (promise) => event.waiting.push(promise),
    };
    listeners.fetch(event);
    return { ...event, fail: () => reject(new Error()), respond: (body, status = 200) => resolve(new Response(body, { status, headers: { "Content-Type": "text/html" } })) };
  };
  /** Lets pending promises settle. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { navigate, pages, tick: async (milliseconds) => (await settle(), context.mock.timers.tick(milliseconds)) };
}

test("a page that arrives after the timeout is cached for the next visit", async (t) => {
  const { navigate, pages, tick } = startWorker(t, { "/r/lobby": "old" });
  const request = navigate("/r/lobby");
  await tick(4_000);
  assert.equal(await request.body, "old");
  request.respond('<body class="room">new');
  await Promise.all(request.waiting);
  assert.equal(pages.get("/r/lobby"), '<body data-shell class="room">new');
});

test("a page that arrives in time is shown and cached, unlike a server error", async (t) => {
  const { navigate, pages } = startWorker(t, { "/r/lobby": "old" });
  const request = navigate("/r/lobby");
  request.respond('<body class="room">new');
  assert.equal(await request.body, '<body class="room">new');
  await Promise.all(request.waiting);
  assert.equal(pages.get("/r/lobby"), '<body data-shell class="room">new');
  const next = navigate("/r/lobby");
  next.respond("error", 503);
  assert.equal(await next.body, pages.get("/r/lobby"));
  await Promise.all(next.waiting);
  assert.equal(pages.get("/r/lobby"), '<body data-shell class="room">new');
});

test("the page of a permalink is shown, but not cached", async (t) => {
  const { navigate, pages } = startWorker(t);
  const request = navigate("/r/lobby/1-0");
  request.respond("<body>a place");
  assert.equal(await request.body, "<body>a place");
  await Promise.all(request.waiting);
  assert.equal(pages.size, 0);
});

test("without a network, a room is opened by name if its page is cached", async (t) => {
  const { navigate } = startWorker(t, { "/r/lobby": "old" });
  const known = navigate("/open?room=lobby");
  known.fail();
  assert.equal((await known.response).headers.get("Location"), "/r/lobby");
  for (const text of ["attic", "Caf%C3%A9", ""]) {
    const unknown = navigate(`/open?room=${text}`);
    unknown.fail();
    assert.match(await unknown.body, /No connection/);
  }
});
