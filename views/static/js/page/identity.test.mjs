import assert from "node:assert/strict";
import test from "node:test";
import { reloadOnUserChange } from "./identity.js";

/** Opens a page with this dataset. `expect` checks the reloads, and the greetings that reached other listeners. */
function openPage(dataset, history = { state: null }) {
  const window = new EventTarget();
  let reloads = 0;
  history.replaceState = (state) => (history.state = state);
  const globals = {
    document: { body: { dataset } },
    history,
    location: { reload: () => reloads++ },
    addEventListener: window.addEventListener.bind(window),
    localStorage: { setItem: () => {}, removeItem: () => {} },
  };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });
  const connection = new EventTarget();
  reloadOnUserChange(connection);
  let greetings = 0;
  connection.addEventListener("hello", () => greetings++);
  return {
    history,
    greet: (user) => connection.dispatchEvent(new CustomEvent("hello", { detail: { user } })),
    openOtherTab: (newValue) => window.dispatchEvent(Object.assign(new Event("storage"), { key: "burble:me", newValue })),
    expect: (...expected) => assert.deepEqual([reloads, greetings], expected),
  };
}

const ada = { id: "1", name: "Ada" };
const eve = { id: "2", name: "Eve" };
const adasPage = { user: "1", name: "Ada" };

test("a page of another user reloads, and no other listener receives hello", () => {
  const { greet, expect } = openPage(adasPage);
  greet(ada);
  expect(0, 1);
  greet(eve);
  expect(1, 1);
});

test("a page that is unchanged after the reload does not reload again", () => {
  const { greet, history } = openPage(adasPage);
  greet(eve);
  const unchanged = openPage(adasPage, history);
  unchanged.greet(eve);
  unchanged.greet(eve);
  unchanged.openOtherTab("2 Eve");
  unchanged.expect(0, 0);
});

test("a page reloads after a rename, here or in another tab", () => {
  const { greet, history, expect } = openPage(adasPage);
  greet({ id: "1", name: "Lovelace" });
  expect(1, 1);
  const renamed = openPage({ user: "1", name: "Lovelace" }, history);
  renamed.openOtherTab("1 Lovelace");
  renamed.expect(0, 0);
  renamed.openOtherTab("1 Ada");
  renamed.expect(1, 0);
});

test("without a user, a page reloads only if it came from the service worker", () => {
  const { greet, expect } = openPage(adasPage);
  greet(null);
  expect(0, 1);
  const cached = openPage({ ...adasPage, shell: "" });
  cached.greet(null);
  cached.expect(1, 0);
  const anonymous = openPage({});
  anonymous.greet(null);
  anonymous.expect(0, 1);
});
