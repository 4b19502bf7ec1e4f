import assert from "node:assert/strict";
import test from "node:test";
import { Typing, typingText } from "./typing.js";

test("signals are sent at most every 3 s, and immediately after a reset", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  t.mock.method(performance, "now", () => Date.now());
  let signals = 0;
  const typing = new Typing({ send: () => signals++, show() {} });
  typing.signal();
  t.mock.timers.tick(2_900);
  typing.signal();
  assert.equal(signals, 1);
  t.mock.timers.tick(100);
  typing.signal();
  assert.equal(signals, 2);
  typing.reset();
  typing.signal();
  assert.equal(signals, 3);
});

test("another user is shown until 5 s after the last signal, or until removed", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let shown = [];
  const typing = new Typing({ send() {}, show: (parts) => (shown = parts.flatMap((part) => part.name ?? [])) });
  typing.addUser({ id: "a", name: "Ada" });
  t.mock.timers.tick(3_000);
  typing.addUser({ id: "a", name: "Ada" });
  typing.addUser({ id: "b", name: "Bob" });
  assert.deepEqual(shown, ["Ada", "Bob"]);
  typing.removeUser("b");
  t.mock.timers.tick(4_900);
  assert.deepEqual(shown, ["Ada"]);
  t.mock.timers.tick(100);
  assert.deepEqual(shown, []);
});

test("the line names at most two people", () => {
  assert.deepEqual(typingText([]), []);
  assert.deepEqual(typingText(["Ada"]), ["Ada", " is typing…"]);
  assert.deepEqual(typingText(["Ada", "Bob"]), ["Ada", " and ", "Bob", " are typing…"]);
  assert.deepEqual(typingText(["Ada", "Bob", "Eve"]), ["Several people are typing…"]);
});
