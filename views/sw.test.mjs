import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";

const source = readFileSync(new URL("sw.js", import.meta.url), "utf8");

/** TestResponse allows redirects to a path, as in a service worker. */
class TestResponse extends Response {
  static redirect = (path, status) => new Response(null, { status, headers: { Location: path } });
}

/**
 * Starts a worker with these pages in its cache, by path. `caches` replaces methods of the browser's caches, and `replaced`
 * replaces globals.
 */
function startWorker(context, cached = {}, caches = {}, replaced = {}) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const listeners = {};
  const pages = new Map(Object.entries(cached));
  const cache = {
    match: async (name) => pages.has(name) ? new Response(pages.get(name)) : undefined,
    delete: async (name) => pages.delete(name),
    put: async (name, response) => pages.set(name, await response.text()),
    keys: async () => [...pages.keys()],
  };
  let hasMessages = true;
  const transaction = () => {
    const clearing = { objectStore: () => ({ clear: () => setImmediate(() => (hasMessages = false, clearing.oncomplete())) }) };
    return clearing;
  };
  const indexedDB = {
    open: () => {
      const opening = { result: { transaction, close: () => {} } };
      queueMicrotask(() => opening.onsuccess());
      return opening;
    },
  };
  const globals = {
    VERSION: "1", FILES: [], Response: TestResponse, Headers, URL, setTimeout, location: new URL("http://burble/"),
    indexedDB, caches: { open: async () => cache, delete: async () => pages.clear(), match: async () => undefined, ...caches }, fetch: async (request) => new Response(`file ${request.url}`), addEventListener: (type, listener) => (listeners[type] = listener),
    ...replaced,
  };
  vm.runInNewContext(source, globals);
  /**
   * Navigates to a path. respond() sends the response of the server. `body` is the body that the worker
   * returns to the browser. `waiting` lists the promises passed to waitUntil.
   */
  const navigate = (path, mode = "navigate") => {
    let resolve, reject;
    const event = {
      request: { url: `http://burble${path}`, method: "GET", mode },
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
  const activate = () => new Promise((waitUntil) => listeners.activate({ waitUntil }));
  return { navigate, activate, pages, hasMessages: () => hasMessages, tick: async (milliseconds) => (await settle(), context.mock.timers.tick(milliseconds)) };
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

test("a room's page is cached without its messages and read marker", async (t) => {
  const { navigate, pages } = startWorker(t);
  const page = readFileSync(new URL("testdata/room.html", import.meta.url), "utf8")
    .replace(/<div id=messages [^>]*/, '$& data-read="1-0"');
  const request = navigate("/r/lobby");
  request.respond(page);
  assert.equal(await request.body, page);
  await Promise.all(request.waiting);
  const cached = pages.get("/r/lobby");
  assert.match(page, / id=m\d+-0 /);
  assert.doesNotMatch(cached, / id=m\d+-0 |data-read="1-0"/);
  assert.match(cached, /<div id=messages [^>]*><\/div><p class=edge id=newer>[\s\S]*<form class=composer/);
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

test("the page of a room that the user may no longer see is deleted", async (t) => {
  const { navigate, pages } = startWorker(t, { "/r/lobby": "old" });
  const request = navigate("/r/lobby");
  request.respond("no such room", 404);
  assert.equal(await request.body, "no such room");
  await Promise.all(request.waiting);
  assert.equal(pages.get("/r/lobby"), undefined);
});

test("the pages and messages of another user are deleted", async (t) => {
  const page = (user) => `<body class="room"${user ? ` data-user="${user}"` : ""}>`;
  for (const [before, after] of [["ada", "eve"], ["ada", ""], ["", "eve"]]) {
    const { navigate, pages, hasMessages } = startWorker(t, { "/r/launch": page(before), "/": page(before) });
    const request = navigate("/r/lobby");
    request.respond(page(after));
    await Promise.all(request.waiting);
    assert.deepEqual([...pages.keys()], ["/r/lobby"]);
    assert.equal(hasMessages(), false);
    t.mock.timers.reset();
  }
  const { navigate, pages, hasMessages } = startWorker(t, { "/r/launch": page("ada") });
  const request = navigate("/r/lobby");
  request.respond(page("ada"));
  await Promise.all(request.waiting);
  assert.deepEqual([...pages.keys()], ["/r/launch", "/r/lobby"]);
  assert.equal(hasMessages(), true);
});

test("the pages and messages of a user who is redirected to the sign-in page are deleted", async (t) => {
  const { navigate, pages, hasMessages } = startWorker(t, { "/r/launch": "old" });
  await Promise.all(navigate("/sign-in?next=/").waiting);
  assert.equal(pages.size, 0);
  assert.equal(hasMessages(), false);
});

test("a new worker does not cache the sign-in page for a room that leads there", async (t) => {
  const response = (body) => new Response(body, { headers: { "Content-Type": "text/html" } });
  const { activate, pages } = startWorker(t, { "/r/launch": "old" }, { keys: async () => [] }, {
    registration: {}, clients: { matchAll: async () => [{ url: "http://burble/r/launch" }], claim: async () => {} },
    fetch: async (path, { redirect }) => {
      if (path === "/") return response("<body class=home>");
      return redirect === "manual" ? { type: "opaqueredirect", status: 0, headers: new Headers() } : response("<body class=home>Sign in");
    },
  });
  await activate();
  assert.deepEqual([...pages.keys()], ["/"]);
});

test("the page of a permalink is shown, but not cached", async (t) => {
  const { navigate, pages } = startWorker(t);
  const request = navigate("/r/lobby/1-0");
  request.respond("<body>a place");
  assert.equal(await request.body, "<body>a place");
  await Promise.all(request.waiting);
  assert.equal(pages.size, 0);
});

test("without a network, any spelling of a room's name opens the cached page of the room", async (t) => {
  const { navigate } = startWorker(t, { "/r/lobby": "old", "/r/cafe-noir": "old" });
  const spellings = {
    "/open?room=lobby": "/r/lobby", "/open?room=Lobby": "/r/lobby", "/open?room=Caf%C3%A9+Noir": "/r/cafe-noir",
    "/r/Lobby": "/r/lobby", "/r/Lobby/1-0": "/r/lobby", "/r/lobb%79": "/r/lobby", "/r/Caf%C3%A9%20noir": "/r/cafe-noir",
  };
  for (const [path, room] of Object.entries(spellings)) {
    const known = navigate(path);
    known.fail();
    assert.equal((await known.response).headers.get("Location"), room, path);
  }
  for (const path of ["/open?room=attic", "/open?room=", "/open", "/r/Attic", "/r/%E0"]) {
    const unknown = navigate(path);
    unknown.fail();
    assert.match(await unknown.body, /No connection/, path);
  }
});

test("with a network, the server decides which room a text means", async (t) => {
  const { navigate, tick } = startWorker(t, { "/r/lobby": "old" });
  const request = navigate("/r/Lobby");
  request.respond("another page");
  assert.equal(await request.body, "another page");
  const slow = navigate("/r/Lobby");
  await tick(4_000);
  assert.equal((await slow.response).headers.get("Location"), "/r/lobby");
});

test("pages and files load from the network if the browser cannot use its caches", async (t) => {
  const fail = async () => {
    throw new Error("quota exceeded");
  };
  const { navigate } = startWorker(t, {}, { open: fail, match: fail });
  const page = navigate("/r/lobby");
  page.respond('<body class="room">new');
  assert.equal(await page.body, '<body class="room">new');
  await Promise.allSettled(page.waiting);
  assert.equal(await navigate("/static/1/room.js", "no-cors").body, "file http://burble/static/1/room.js");
});
