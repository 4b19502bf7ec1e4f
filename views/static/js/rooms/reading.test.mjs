import assert from "node:assert/strict";
import test from "node:test";
import { Reading } from "./reading.js";

function begin(t, mark = "1-0") {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const told = [];
  const line = { up: true };
  const reading = new Reading(mark, (id) => line.up && told.push(id) > 0);
  return { reading, told, line, tick: (milliseconds) => t.mock.timers.tick(milliseconds) };
}

test("the server is told at once, then at most every 2 s, and the newest", (t) => {
  const { reading, told, tick } = begin(t);
  for (const id of ["2-0", "3-0", "4-0"]) reading.seen(id);
  assert.deepEqual(told, ["2-0"]);
  tick(2_000);
  assert.deepEqual(told, ["2-0", "4-0"]);
  tick(10_000);
  assert.deepEqual(told, ["2-0", "4-0"]);
});

test("it never goes back, and another device's mark is as mine", (t) => {
  const { reading, told, tick } = begin(t, "5-0");
  assert.equal(reading.seen("4-0"), false);
  reading.elsewhere("9-0");
  reading.elsewhere("7-0");
  assert.equal(reading.mark, "9-0");
  assert.equal(reading.seen("8-0"), false);
  tick(5_000);
  assert.deepEqual(told, []);
});

test("what could not be told is told later", (t) => {
  const { reading, told, line, tick } = begin(t);
  line.up = false;
  reading.seen("2-0");
  tick(5_000);
  line.up = true;
  reading.flush();
  assert.deepEqual(told, ["2-0"]);
});
