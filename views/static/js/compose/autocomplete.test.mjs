import assert from "node:assert/strict";
import test from "node:test";
import { completionAt, matchNames } from "./autocomplete.js";

test("completionAt returns a word at the end of the text whose trigger follows white space", () => {
  assert.deepEqual(completionAt("hello @Ad"), { trigger: "@", word: "ad", start: 6 });
  assert.deepEqual(completionAt("@"), { trigger: "@", word: "", start: 0 });
  assert.deepEqual(completionAt("a\n:tad"), { trigger: ":", word: "tad", start: 2 });
  for (const text of ["", "hello", "ada@example", "12:30", ":", ":t", "a :) ", "@Ada "]) assert.equal(completionAt(text), null, text);
});

test("names that begin with the word come first", () => {
  assert.deepEqual(matchNames(["banana", "Nan", "nacho", "kiwi"], "na"), ["Nan", "nacho", "banana"]);
  assert.equal(matchNames(Array(20).fill("ada"), "a").length, 8);
});
