import assert from "node:assert/strict";
import test from "node:test";
import { GapDetector } from "./socket.js";

/** Returns a `followed` frame for the lobby. The cursor "1-0@e" is entry 1-0 in epoch e. */
const followed = (state, at, fields) => ({ type: "followed", room: "lobby", state, at, ...fields });
const entries = (after, upto) => ({ type: "entries", room: "lobby", after, upto });

test("an entries frame must start where the previous frame ended", () => {
  const detector = new GapDetector();
  assert.equal(detector.check(entries("1-0@e", "2-0@e")), false, "accepted a frame before followed");
  detector.request("lobby", "1-0@e");
  assert.equal(detector.check(followed("resumed", "1-0@e")), true);
  assert.equal(detector.check(entries("1-0@e", "3-0@e")), true);
  assert.equal(detector.check(entries("4-0@e", "5-0@e")), false, "accepted a frame after a gap");
  assert.equal(detector.check(entries("3-0@f", "5-0@f")), false, "accepted a frame from another epoch");
  assert.equal(detector.check(entries("3-0@e", "5-0@e")), true);
});

test("resuming after the requested cursor is a gap", () => {
  const detector = new GapDetector();
  detector.request("lobby", "5-0@e");
  assert.equal(detector.check(followed("resumed", "5-1@e")), false);
});

test("truncated and reset may start after the requested cursor", () => {
  const detector = new GapDetector();
  detector.request("lobby", "5-0@e");
  assert.equal(detector.check(followed("truncated", "9-0@e", { first: "9-0@e" })), true);
  assert.equal(detector.check(followed("reset", "9-0@f")), true);
});

test("a follow request may contain an entry ID instead of a cursor", () => {
  const detector = new GapDetector();
  detector.request("lobby", "5-0");
  assert.equal(detector.check(followed("resumed", "5-0@e")), true);
});

test("a second follow moves the expected cursor back", () => {
  const detector = new GapDetector();
  detector.request("lobby", "1-0@e");
  detector.check(followed("resumed", "1-0@e"));
  detector.request("lobby", "1-0@e");
  assert.equal(detector.check(entries("1-0@e", "2-0@e")), true, "rejected a frame of the first follow, sent before the second was confirmed");
  assert.equal(detector.check(followed("resumed", "1-0@e")), true);
  assert.equal(detector.check(entries("1-0@e", "2-0@e")), true);
});

test("a room has caught up after the last entry named in its followed frame", () => {
  const detector = new GapDetector();
  assert.equal(detector.haveCaughtUp(["lobby"]), false);
  detector.request("lobby", "1-0@e");
  detector.check(followed("resumed", "1-0@e", { last: "4-0@e" }));
  assert.equal(detector.haveCaughtUp(["lobby"]), false);
  detector.check(entries("1-0@e", "3-0@e"));
  assert.equal(detector.haveCaughtUp(["lobby"]), false);
  detector.check(entries("3-0@e", "5-0@e"));
  assert.equal(detector.haveCaughtUp(["lobby"]), true);
  assert.equal(detector.haveCaughtUp(["lobby", "kitchen"]), false);
});
