import assert from "node:assert/strict";
import test from "node:test";
import { reloadOnUserChange } from "./identity.js";

/**
 * Opens a page whose body has this dataset. expect() checks how many times the page has reloaded, and
 * how many hello frames other listeners have received.
 */
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
  let hellos = 0;
  connection.addEventListener("hello", () => hellos++);
  return {
    history,
    receiveHello: (user) => connection.dispatchEvent(new CustomEvent("hello", { detail: { user } })),
    receiveClosed: (detail) => connection.dispatchEvent(new CustomEvent("closed", { detail })),
    openOtherTab: (newValue) => window.dispatchEvent(Object.assign(new Event("storage"), { key: "burble:me", newValue })),
    expect: (...expected) => assert.deepEqual([reloads, hellos], expected),
  };
}

const ada = { id: "1", name: "Ada" };
const eve = { id: "2", name: "Eve" };
const adasPage = { user: "1", name: "Ada" };

test("a hello with another user reloads the page, and does not reach other listeners", () => {
  const { receiveHello, expect } = openPage(adasPage);
  receiveHello(ada);
  expect(0, 1);
  receiveHello(eve);
  expect(1, 1);
});

test("a page reloads when its user is signed out, but not when only a room is closed", () => {
  const { receiveClosed, expect } = openPage(adasPage);
  receiveClosed({ room: "lobby", code: "removed" });
  expect(0, 0);
  receiveClosed({ code: "signed_out" });
  expect(1, 0);
});

test("a page reloads only once, even if reloading returns the same page", () => {
  const { receiveHello, history } = openPage(adasPage);
  receiveHello(eve);
  const unchanged = openPage(adasPage, history);
  unchanged.receiveHello(eve);
  unchanged.receiveHello(eve);
  unchanged.openOtherTab("2 Eve");
  unchanged.expect(0, 0);
});

test("a page reloads after the user is renamed on the server or in another tab", () => {
  const { receiveHello, history, expect } = openPage(adasPage);
  receiveHello({ id: "1", name: "Lovelace" });
  expect(1, 1);
  const renamed = openPage({ user: "1", name: "Lovelace" }, history);
  renamed.openOtherTab("1 Lovelace");
  renamed.expect(0, 0);
  renamed.openOtherTab("1 Ada");
  renamed.expect(1, 0);
});

test("a hello without a user reloads only a page from the service worker", () => {
  const { receiveHello, expect } = openPage(adasPage);
  receiveHello(null);
  expect(0, 1);
  const cached = openPage({ ...adasPage, shell: "" });
  cached.receiveHello(null);
  cached.expect(1, 0);
  const anonymous = openPage({});
  anonymous.receiveHello(null);
  anonymous.expect(0, 1);
});
