import assert from "node:assert/strict";
import test from "node:test";
import { History } from "./history.js";

/**
 * Opens a room with its older edge in view. The server responds with these statuses, then always
 * with 503. "lost" stands for a network error, and a page for status 200 with that page.
 */
function openRoom(context, replies = [], online = true) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const window = new EventTarget();
  let requests = 0;
  const fetch = async () => {
    requests++;
    const reply = replies.shift() ?? 503;
    if (reply === "lost") throw new TypeError("Failed to fetch");
    const page = reply.entries ? reply : { entries: [], as_of: "9-0", older: null, newer: null };
    return { ok: reply === 200 || page === reply, status: reply, json: async () => page };
  };
  class IntersectionObserver {
    constructor(notify) {
      this.notify = notify;
    }
    observe(target) {
      if (target.isNear) this.notify([{ isIntersecting: true, target }]);
    }
    unobserve() {}
  }
  const navigator = { onLine: online };
  const globals = { fetch, IntersectionObserver, navigator, addEventListener: window.addEventListener.bind(window), document: { querySelector: (selector) => selector === ".bar h1" && { lastChild: { data: "Launch" } } } };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });
  const makeEdge = (isNear) => {
    const link = Object.assign(new EventTarget(), { hidden: !isNear, href: "http://burble/r/lobby?before=5-0" });
    const end = { hidden: true };
    return { isNear, link, end, querySelector: (selector) => (selector === "a" ? link : end) };
  };
  const timeline = Object.assign(new EventTarget(), { insertPage: async (_page, { updateEdges }) => updateEdges() });
  const older = makeEdge(true);
  const history = new History({ room: "lobby", timeline, scroller: null, older, newer: makeEdge(false) });
  /** Lets pending promises settle. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    replies,
    history,
    timeline,
    olderText: () => (older.end.hidden ? "" : older.end.textContent),
    clickOlder: () => older.link.dispatchEvent(new Event("click", { cancelable: true })),
    goOnline: () => {
      navigator.onLine = true;
      window.dispatchEvent(new Event("online"));
    },
    tick: async (milliseconds) => {
      await settle();
      context.mock.timers.tick(milliseconds);
      await settle();
    },
    requests: () => requests,
  };
}

test("a failed request is retried with a growing delay", async (t) => {
  t.mock.method(Math, "random", () => 0.999);
  const { requests, replies, tick } = openRoom(t);
  await tick(0);
  assert.equal(requests(), 1);
  await tick(2_900);
  assert.equal(requests(), 1);
  await tick(100);
  assert.equal(requests(), 2);
  for (let i = 0; i < 600; i++) await tick(1_000);
  assert.ok(requests() > 15 && requests() < 30, `${requests()} requests in ten minutes`);
  replies.push(200);
  await tick(30_000);
  const before = requests();
  await tick(600_000);
  assert.equal(requests(), before);
});

test("a refused request is not retried until its link is clicked", async (t) => {
  const { requests, clickOlder, tick } = openRoom(t, [404, 200]);
  await tick(0);
  await tick(600_000);
  assert.equal(requests(), 1);
  clickOlder();
  await tick(0);
  assert.equal(requests(), 2);
});

test("status 429 (too many requests) is retried", async (t) => {
  const { requests, tick } = openRoom(t, [429, 200]);
  await tick(0);
  await tick(3_000);
  assert.equal(requests(), 2);
});

test("a request that fails offline is retried when the browser goes online", async (t) => {
  const { requests, goOnline, tick } = openRoom(t, ["lost", 200], false);
  await tick(0);
  await tick(600_000);
  assert.equal(requests(), 1);
  goOnline();
  await tick(0);
  assert.equal(requests(), 2);
});

test("the older edge marks the beginning of the room, unless older messages were trimmed", async (t) => {
  const { history, timeline, olderText, replies, clickOlder, tick } = openRoom(t, [], false);
  await tick(0);
  const beginning = "This is the beginning of Launch.";
  const cases = [
    [{}, undefined, beginning],
    [{}, { isUnknown: true }, "The messages of this room are not saved on this device."],
    [{ oldest: "5-0", firstNumber: 1 }, undefined, beginning],
    [{ oldest: "5-0", firstNumber: 3 }, undefined, ""],
    [{ oldest: "5-0", firstNumber: 3 }, { begins: true }, beginning], // the first two entries were not messages
    [{ oldest: "5-0", firstNumber: 1 }, { begins: false }, ""],
  ];
  for (const [messages, room, text] of cases) {
    Object.assign(timeline, { oldest: undefined, firstNumber: undefined }, messages);
    history.restart(room);
    assert.equal(olderText(), text);
    assert.equal(timeline.begins, text === beginning);
  }
  const load = async (page) => {
    await tick(0); // until the load that restart started has failed
    replies.push(page);
    clickOlder();
    await tick(0);
    return olderText();
  };
  const page = (fields) => ({ entries: [], as_of: "9-0", older: null, newer: null, ...fields });
  assert.equal(await load(page({ trimmed: true })), "Older messages are no longer available.");
  history.restart({ begins: false });
  assert.equal(await load(page({ trimmed: false, entries: [{ n: 2 }] })), beginning);
  history.restart({ begins: false });
  assert.equal(await load(page({ entries: [{ n: 2 }] })), "Older messages are no longer available.", "a server running an older release");
});
