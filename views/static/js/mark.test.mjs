import assert from "node:assert/strict";
import test from "node:test";
import { places } from "./mark.js";

test("what is looked for is found in any case, everywhere", () => {
  assert.deepEqual(places("Ada and ADA", "ada"), [[0, 3], [8, 11]]);
  assert.deepEqual(places("nothing", "ada"), []);
  assert.deepEqual(places("anything", ""), []);
});

test("signs are looked for as they are", () => {
  assert.deepEqual(places("a.b a+b (x) [y] a-b \\ ^", "a.b"), [[0, 3]]);
  for (const sign of ["a+b", "(x)", "[y]", "a-b", "\\", "^"]) assert.equal(places("a.b a+b (x) [y] a-b \\ ^", sign).length, 1, sign);
});

test("a place counts as the text does, also past emoji", () => {
  assert.deepEqual(places("🙌🙌 Ärger", "ärger"), [[5, 10]]);
});
