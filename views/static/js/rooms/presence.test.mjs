import assert from "node:assert/strict";
import test from "node:test";
import { Presence } from "./rooms.js";

const ada = { id: "a", name: "Ada" };
const bob = { id: "b", name: "Bob" };

test("repeated came and left signals count once", () => {
  const presence = new Presence();
  assert.ok(presence.apply({ count: 1, users: [bob] }));
  assert.ok(presence.apply({ kind: "came", user: ada }));
  presence.apply({ kind: "came", user: ada });
  assert.deepEqual([presence.count, presence.users], [2, [ada, bob]]);
  assert.ok(presence.apply({ kind: "left", user: bob }));
  assert.ok(!presence.apply({ kind: "left", user: bob }));
  assert.ok(!presence.apply({ kind: "typing", user: ada }));
  assert.deepEqual([presence.count, presence.users], [1, [ada]]);
});

test("a count without names keeps the known names", () => {
  const presence = new Presence();
  presence.apply({ count: 500, users: [ada, bob] });
  presence.apply({ count: 620, users: [] });
  assert.deepEqual([presence.count, presence.users.length], [620, 2]);
  presence.apply({ count: 0, users: [] });
  assert.deepEqual([presence.count, presence.users.length], [0, 0]);
});
