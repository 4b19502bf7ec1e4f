import assert from "node:assert/strict";
import test from "node:test";
import { People } from "./people.js";

const ada = { id: "a", name: "Ada" };
const bob = { id: "b", name: "Bob" };

test("people come and leave, each once", () => {
  const people = new People();
  assert.ok(people.take({ count: 1, users: [bob] }));
  assert.ok(people.take({ kind: "came", user: ada }));
  people.take({ kind: "came", user: ada });
  assert.deepEqual([people.count, people.list], [2, [ada, bob]]);
  assert.ok(people.take({ kind: "left", user: bob }));
  assert.ok(!people.take({ kind: "left", user: bob }));
  assert.ok(!people.take({ kind: "typing", user: ada }));
  assert.deepEqual([people.count, people.list], [1, [ada]]);
});

test("of a crowd the number changes and the names stay", () => {
  const people = new People();
  people.take({ count: 500, users: [ada, bob] });
  people.take({ count: 620, users: [] });
  assert.deepEqual([people.count, people.list.length], [620, 2]);
  people.take({ count: 0, users: [] });
  assert.deepEqual([people.count, people.list.length], [0, 0]);
});
