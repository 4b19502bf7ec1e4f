import assert from "node:assert/strict";
import test from "node:test";
import { Chain } from "./chain.js";

const followed = (state, at, more = {}) => ({ room: "lobby", state, at, ...more });
const entries = (after, upto) => ({ room: "lobby", after, upto });

test("entries that continue are taken, others are not", () => {
  const chain = new Chain();
  assert.equal(chain.go(entries("1-0@e", "2-0@e")), false, "before followed");
  chain.ask("lobby", "1-0@e");
  assert.equal(chain.start(followed("resumed", "1-0@e")), true);
  assert.equal(chain.go(entries("1-0@e", "3-0@e")), true);
  assert.equal(chain.go(entries("4-0@e", "5-0@e")), false, "a hole");
  assert.equal(chain.go(entries("3-0@f", "5-0@f")), false, "another epoch");
  assert.equal(chain.go(entries("3-0@e", "5-0@e")), true);
});

test("resuming after the place asked for is a hole", () => {
  const chain = new Chain();
  chain.ask("lobby", "5-0@e");
  assert.equal(chain.start(followed("resumed", "5-1@e")), false);
  assert.equal(chain.start(followed("truncated", "9-0@e", { first: "9-0@e" })), true, "that hole is told");
  assert.equal(chain.start(followed("reset", "9-0@f")), true);
});

test("a bare entry ID may be asked for", () => {
  const chain = new Chain();
  chain.ask("lobby", "5-0");
  assert.equal(chain.start(followed("resumed", "5-0@e")), true);
});

test("following anew starts the chain anew", () => {
  const chain = new Chain();
  chain.ask("lobby", "1-0@e");
  chain.start(followed("resumed", "1-0@e"));
  chain.ask("lobby", "1-0@e"); // A probe; entries of the first follow are still under way.
  assert.equal(chain.go(entries("1-0@e", "2-0@e")), true);
  assert.equal(chain.start(followed("resumed", "1-0@e")), true);
  assert.equal(chain.go(entries("1-0@e", "2-0@e")), true);
});

test("a room has caught up where its end was when it was followed", () => {
  const chain = new Chain();
  assert.equal(chain.complete(["lobby"]), false);
  chain.ask("lobby", "1-0@e");
  chain.start(followed("resumed", "1-0@e", { last: "4-0@e" }));
  assert.equal(chain.complete(["lobby"]), false);
  chain.go(entries("1-0@e", "3-0@e"));
  assert.equal(chain.complete(["lobby"]), false);
  chain.go(entries("3-0@e", "5-0@e"));
  assert.equal(chain.complete(["lobby"]), true);
  assert.equal(chain.complete(["lobby", "kitchen"]), false);
});
