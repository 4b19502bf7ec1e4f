import assert from "node:assert/strict";
import test from "node:test";
import { belong, sleeper } from "./wake.js";

test("it sleeps after so long out of sight, and not before", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const target = new EventTarget();
  let hidden = false;
  let slept = 0;
  const turn = (to) => {
    hidden = to;
    target.dispatchEvent(new Event("visibilitychange"));
  };
  sleeper({ after: 1_000, hidden: () => hidden, sleep: () => slept++, target });
  t.mock.timers.tick(5_000);
  turn(true);
  t.mock.timers.tick(900);
  turn(false);
  t.mock.timers.tick(5_000);
  assert.equal(slept, 0);
  turn(true);
  t.mock.timers.tick(1_000);
  assert.equal(slept, 1);
});

/** A page made for somebody: what it gets to hear, and how often it is loaded anew. */
function page(dataset, history = { state: null }) {
  const all = new EventTarget();
  let reloads = 0;
  history.replaceState = (state) => (history.state = state);
  const globals = {
    document: { body: { dataset } },
    history,
    location: { reload: () => reloads++ },
    addEventListener: all.addEventListener.bind(all),
    localStorage: { setItem: () => {}, removeItem: () => {} },
  };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });
  const connection = new EventTarget();
  belong(connection);
  let heard = 0;
  connection.addEventListener("hello", () => heard++);
  return {
    history,
    greet: (user) => connection.dispatchEvent(new CustomEvent("hello", { detail: { user } })),
    otherTab: (newValue) => all.dispatchEvent(Object.assign(new Event("storage"), { key: "burble:me", newValue })),
    is: (...expected) => assert.deepEqual([reloads, heard], expected),
  };
}

const ada = { id: "1", name: "Ada" };
const eve = { id: "2", name: "Eve" };
const adas = { user: "1", name: "Ada" };

test("the page of another user is loaded anew, and nothing hears of the connection", () => {
  const { greet, is } = page(adas);
  greet(ada);
  is(0, 1);
  greet(eve);
  is(1, 1);
});

test("a page that comes back as it was is not loaded again and again", () => {
  const { greet, history } = page(adas);
  greet(eve);
  const again = page(adas, history);
  again.greet(eve);
  again.greet(eve);
  again.otherTab("2 Eve");
  again.is(0, 0);
});

test("after a rename, here or in another tab, the page is loaded anew", () => {
  const { greet, history, is } = page(adas);
  greet({ id: "1", name: "Lovelace" });
  is(1, 1);
  const renamed = page({ user: "1", name: "Lovelace" }, history);
  renamed.otherTab("1 Lovelace");
  renamed.is(0, 0);
  renamed.otherTab("1 Ada");
  renamed.is(1, 0);
});

test("who is not known any more is told when they send; a page that was kept is loaded anew", () => {
  const { greet, is } = page(adas);
  greet(null);
  is(0, 1);
  const kept = page({ ...adas, shell: "" });
  kept.greet(null);
  kept.is(1, 0);
  const nobodys = page({});
  nobodys.greet(null);
  nobodys.is(0, 1);
});
