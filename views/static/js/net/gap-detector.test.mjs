import assert from "node:assert/strict";
import test from "node:test";
import { GapDetector } from "./gap-detector.js";

const followed = (state, at, more = {}) => ({ room: "lobby", state, at, ...more });
const entries = (after, upto) => ({ room: "lobby", after, upto });

test("a frame of entries must start where the last frame ended", () => {
  const gaps = new GapDetector();
  assert.equal(gaps.advance(entries("1-0@e", "2-0@e")), false, "accepted before followed");
  gaps.request("lobby", "1-0@e");
  assert.equal(gaps.start(followed("resumed", "1-0@e")), true);
  assert.equal(gaps.advance(entries("1-0@e", "3-0@e")), true);
  assert.equal(gaps.advance(entries("4-0@e", "5-0@e")), false, "accepted after a gap");
  assert.equal(gaps.advance(entries("3-0@f", "5-0@f")), false, "accepted from another epoch");
  assert.equal(gaps.advance(entries("3-0@e", "5-0@e")), true);
});

test("a room that resumes after the requested cursor has a gap", () => {
  const gaps = new GapDetector();
  gaps.request("lobby", "5-0@e");
  assert.equal(gaps.start(followed("resumed", "5-1@e")), false);
  assert.equal(gaps.start(followed("truncated", "9-0@e", { first: "9-0@e" })), true, "the server reports this gap itself");
  assert.equal(gaps.start(followed("reset", "9-0@f")), true);
});

test("a room can be followed from a bare entry ID", () => {
  const gaps = new GapDetector();
  gaps.request("lobby", "5-0");
  assert.equal(gaps.start(followed("resumed", "5-0@e")), true);
});

test("following a room again starts over", () => {
  const gaps = new GapDetector();
  gaps.request("lobby", "1-0@e");
  gaps.start(followed("resumed", "1-0@e"));
  gaps.request("lobby", "1-0@e"); // Entries from the first follow may still arrive.
  assert.equal(gaps.advance(entries("1-0@e", "2-0@e")), true);
  assert.equal(gaps.start(followed("resumed", "1-0@e")), true);
  assert.equal(gaps.advance(entries("1-0@e", "2-0@e")), true);
});

test("a room has caught up once it reaches the end it had when it was followed", () => {
  const gaps = new GapDetector();
  assert.equal(gaps.caughtUp(["lobby"]), false);
  gaps.request("lobby", "1-0@e");
  gaps.start(followed("resumed", "1-0@e", { last: "4-0@e" }));
  assert.equal(gaps.caughtUp(["lobby"]), false);
  gaps.advance(entries("1-0@e", "3-0@e"));
  assert.equal(gaps.caughtUp(["lobby"]), false);
  gaps.advance(entries("3-0@e", "5-0@e"));
  assert.equal(gaps.caughtUp(["lobby"]), true);
  assert.equal(gaps.caughtUp(["lobby", "kitchen"]), false);
});
