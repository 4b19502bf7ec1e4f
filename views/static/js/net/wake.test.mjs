import assert from "node:assert/strict";
import test from "node:test";
import { sleepWhenHidden } from "./wake.js";

test("a page sleeps once it has been hidden long enough", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const target = new EventTarget();
  let hidden = false;
  let slept = 0;
  const setHidden = (value) => {
    hidden = value;
    target.dispatchEvent(new Event("visibilitychange"));
  };
  sleepWhenHidden({ after: 1_000, isHidden: () => hidden, sleep: () => slept++, target });
  t.mock.timers.tick(5_000);
  setHidden(true);
  t.mock.timers.tick(900);
  setHidden(false);
  t.mock.timers.tick(5_000);
  assert.equal(slept, 0);
  setHidden(true);
  t.mock.timers.tick(1_000);
  assert.equal(slept, 1);
});
