import assert from "node:assert/strict";
import test from "node:test";
import { Marks } from "./marks.js";

function give(t, storage) {
  const before = Object.getOwnPropertyDescriptor(globalThis, "localStorage");
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  t.after(() => (before ? Object.defineProperty(globalThis, "localStorage", before) : delete globalThis.localStorage));
}

test("a mark is of one room and one user", (t) => {
  const kept = new Map();
  give(t, { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) });
  const marks = new Marks({ id: "ada" });
  marks.keep("lobby", "5-0");
  assert.equal(marks.of("lobby"), "5-0");
  assert.equal(marks.of("kitchen"), "0-0");
  assert.equal(new Marks({ id: "bob" }).of("lobby"), "0-0");
  assert.equal(new Marks({ id: "ada" }).of("lobby"), "5-0");
});

test("without a storage they are as old as the page", (t) => {
  give(t, undefined);
  const marks = new Marks({ id: "ada" });
  assert.equal(marks.of("attic"), "0-0");
  marks.keep("attic", "5-0");
  assert.equal(marks.of("attic"), "5-0");
});
