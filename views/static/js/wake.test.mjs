import assert from "node:assert/strict";
import test from "node:test";
import { sleeper } from "./wake.js";

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
