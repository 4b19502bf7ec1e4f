import assert from "node:assert/strict";
import test from "node:test";
import { closeNotifications, showNotification } from "./bell.js";

/** Runs a test in a browser that shows notifications. The service worker is "active", "missing", or "blocked" along with locks. */
async function withBrowser(worker, run) {
  const shown = new Set();
  const add = (title, { tag, data }) => {
    const notification = { title, tag, data, close: () => (shown.delete(notification), notification.onclose?.()) };
    shown.add(notification);
    return notification;
  };
  const registration = {
    active: {},
    getNotifications: async () => [...shown],
    showNotification: async (title, options) => {
      await new Promise((done) => setTimeout(done));
      add(title, options);
    },
  };
  let turn = Promise.resolve();
  const refuse = () => Promise.reject(new DOMException("denied", "SecurityError"));
  const locks = worker === "blocked" ? { query: refuse, request: refuse } : { query: async () => {}, request: (name, callback) => (turn = turn.then(callback)) };
  const serviceWorker = { getRegistration: worker === "blocked" ? refuse : async () => (worker === "active" ? registration : undefined) };
  const original = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { locks, serviceWorker }, configurable: true });
  globalThis.Notification = function (title, options) {
    return add(title, options);
  };
  await run(() => [...shown].map(({ tag }) => tag).join());
  Object.defineProperty(globalThis, "navigator", original ?? { value: undefined, configurable: true });
}

const entry = (id) => ({ id, user: { id: "bob", name: "Bob" }, text: "@ada" });

for (const worker of ["active", "missing", "blocked"]) {
  test(`notifications close when their messages are read, if the service worker is ${worker}`, () =>
    withBrowser(worker, async (shown) => {
      const read = new Set(["2-0"]);
      const rooms = { isUnread: (room, id) => room === "lobby" && !read.has(id) };
      const show = (id) => showNotification("lobby", entry(id), () => rooms.isUnread("lobby", id));
      await Promise.all(["1-0", "2-0", "3-0"].map(show));
      assert.equal(shown(), "1-0,3-0", "a message that was read before its turn is not shown");
      const showing = show("4-0");
      read.add("1-0").add("4-0");
      await Promise.all([showing, closeNotifications(rooms)]);
      assert.equal(shown(), "3-0");
    }));
}
