import assert from "node:assert/strict";
import test from "node:test";
import { Typing, sentence } from "./typing.js";

test("I say that I write at most once in 3 s, and anew after sending", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let said = 0;
  const typing = new Typing({ say: () => said++, show() {} });
  typing.mine();
  t.mock.timers.tick(2_900);
  typing.mine();
  assert.equal(said, 1);
  t.mock.timers.tick(100);
  typing.mine();
  assert.equal(said, 2);
  typing.sent();
  typing.mine();
  assert.equal(said, 3);
});

test("who writes is forgotten after 5 s of silence, or when done", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let shown = [];
  const typing = new Typing({ say() {}, show: (users) => (shown = users.map((user) => user.name)) });
  typing.begins({ id: "a", name: "Ada" });
  t.mock.timers.tick(3_000);
  typing.begins({ id: "a", name: "Ada" });
  typing.begins({ id: "b", name: "Bob" });
  assert.deepEqual(shown, ["Ada", "Bob"]);
  typing.ends("b");
  t.mock.timers.tick(4_900);
  assert.deepEqual(shown, ["Ada"]);
  t.mock.timers.tick(100);
  assert.deepEqual(shown, []);
});

test("the line names two at most", () => {
  assert.deepEqual(sentence([]), []);
  assert.deepEqual(sentence(["Ada"]), ["Ada", " is typing…"]);
  assert.deepEqual(sentence(["Ada", "Bob"]), ["Ada", " and ", "Bob", " are typing…"]);
  assert.deepEqual(sentence(["Ada", "Bob", "Eve"]), ["Several people are typing…"]);
});
