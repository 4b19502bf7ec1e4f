import assert from "node:assert/strict";
import test from "node:test";
import { Typing, typingText } from "./typing.js";

test("typing is signalled at most every 3 s, and again after sending", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let signals = 0;
  const typing = new Typing({ send: () => signals++, show() {} });
  typing.typed();
  t.mock.timers.tick(2_900);
  typing.typed();
  assert.equal(signals, 1);
  t.mock.timers.tick(100);
  typing.typed();
  assert.equal(signals, 2);
  typing.submitted();
  typing.typed();
  assert.equal(signals, 3);
});

test("others stop typing after 5 s without a signal, or when they are done", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let shown = [];
  const typing = new Typing({ send() {}, show: (users) => (shown = users.map((user) => user.name)) });
  typing.started({ id: "a", name: "Ada" });
  t.mock.timers.tick(3_000);
  typing.started({ id: "a", name: "Ada" });
  typing.started({ id: "b", name: "Bob" });
  assert.deepEqual(shown, ["Ada", "Bob"]);
  typing.stopped("b");
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
