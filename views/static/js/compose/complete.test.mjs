import assert from "node:assert/strict";
import test from "node:test";
import { matching, wanted } from "./complete.js";

test("what can be completed is at the end, after a space", () => {
  assert.deepEqual(wanted("hello @Ad"), { sign: "@", word: "ad", start: 6 });
  assert.deepEqual(wanted("@"), { sign: "@", word: "", start: 0 });
  assert.deepEqual(wanted("a\n:tad"), { sign: ":", word: "tad", start: 2 });
  for (const text of ["", "hello", "ada@example", "12:30", ":", ":t", "a :) ", "@Ada "]) assert.equal(wanted(text), null, text);
});

test("names that begin so come before names that have it", () => {
  assert.deepEqual(matching(["banana", "Nan", "nacho", "kiwi"], "na"), ["Nan", "nacho", "banana"]);
  assert.equal(matching(Array(20).fill("ada"), "a").length, 8);
});
