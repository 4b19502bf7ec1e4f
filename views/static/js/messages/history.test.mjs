import assert from "node:assert/strict";
import test from "node:test";
import { History } from "./history.js";

/** A history whose older edge is in view, of a room whose server gives these answers, then 503. */
function begin(context, answers = [], online = true) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const all = new EventTarget();
  let asked = 0;
  const fetch = async () => {
    asked++;
    const answer = answers.shift() ?? 503;
    if (answer === "lost") throw new TypeError("Failed to fetch");
    return { ok: answer === 200, status: answer, json: async () => ({ entries: [], as_of: "9-0", older: null, newer: null }) };
  };
  class IntersectionObserver {
    constructor(tell) {
      this.tell = tell;
    }
    observe(target) {
      if (target.near) this.tell([{ isIntersecting: true, target }]);
    }
    unobserve() {}
  }
  const navigator = { onLine: online };
  const globals = { fetch, IntersectionObserver, navigator, addEventListener: all.addEventListener.bind(all), document: { body: { dataset: {} } } };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });
  const edge = (near) => {
    const link = Object.assign(new EventTarget(), { hidden: !near, href: "http://burble/r/lobby?before=5-0" });
    return { near, link, querySelector: (selector) => (selector === "a" ? link : null) };
  };
  const timeline = Object.assign(new EventTarget(), { page: async (_entries, _asOf, { edges }) => edges() });
  const older = edge(true);
  const history = new History({ room: "lobby", timeline, scroller: null, older, newer: edge(false) });
  /** Lets what was promised happen. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    history,
    answers,
    press: () => older.link.dispatchEvent(new Event("click", { cancelable: true })),
    online: () => {
      navigator.onLine = true;
      all.dispatchEvent(new Event("online"));
    },
    tick: async (milliseconds) => {
      await settle();
      context.mock.timers.tick(milliseconds);
      await settle();
    },
    asked: () => asked,
  };
}

test("an edge that could not be had is asked for again, and ever more seldom", async (t) => {
  t.mock.method(Math, "random", () => 0.999);
  const { asked, answers, tick } = begin(t);
  await tick(0);
  assert.equal(asked(), 1);
  await tick(2_900);
  assert.equal(asked(), 1);
  await tick(100);
  assert.equal(asked(), 2);
  for (let i = 0; i < 600; i++) await tick(1_000);
  assert.ok(asked() > 15 && asked() < 30, `asked ${asked()} times in ten minutes`);
  answers.push(200);
  await tick(30_000);
  const had = asked();
  await tick(600_000);
  assert.equal(asked(), had);
});

test("one that the server refuses is not, until its link is pressed", async (t) => {
  const { asked, press, tick } = begin(t, [404, 200]);
  await tick(0);
  await tick(600_000);
  assert.equal(asked(), 1);
  press();
  await tick(0);
  assert.equal(asked(), 2);
});

test("too many requests are no refusal", async (t) => {
  const { asked, tick } = begin(t, [429, 200]);
  await tick(0);
  await tick(3_000);
  assert.equal(asked(), 2);
});

test("without a network nothing is asked for until there is one", async (t) => {
  const { asked, online, tick } = begin(t, ["lost", 200], false);
  await tick(0);
  await tick(600_000);
  assert.equal(asked(), 1);
  online();
  await tick(0);
  assert.equal(asked(), 2);
});
