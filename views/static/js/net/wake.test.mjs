import assert from "node:assert/strict";
import test from "node:test";
import { sleepWhenHidden } from "./wake.js";

test("sleep is called once the page has been hidden for the whole delay", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const target = new EventTarget();
  let hidden = false;
  let sleeps = 0;
  const setHidden = (value) => {
    hidden = value;
    target.dispatchEvent(new Event("visibilitychange"));
  };
  sleepWhenHidden({ delay: 1_000, isHidden: () => hidden, sleep: () => sleeps++, target });
  t.mock.timers.tick(5_000);
  setHidden(true);
  t.mock.timers.tick(900);
  setHidden(false);
  t.mock.timers.tick(5_000);
  assert.equal(sleeps, 0);
  setHidden(true);
  t.mock.timers.tick(1_000);
  assert.equal(sleeps, 1);
});
