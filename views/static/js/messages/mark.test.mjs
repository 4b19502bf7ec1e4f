import assert from "node:assert/strict";
import test from "node:test";
import { mentions, places } from "./mark.js";

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

test("a mention is @ and the whole name, in any case", () => {
  for (const name of ["Ada", "Élan Vital"]) {
    for (const text of ["@Ada", "hi @Ada!", "(@Ada)", "@Ada…", "@Ada👍", "你好@Ada，", "@Adaさん", "@Ada's", "@Adax, no, @Ada"]) {
      assert.equal(mentions(text.replaceAll("Ada", name), name).length, 1, text);
    }
    for (const text of ["Ada", "@Adam", "@Ada2", "@Adaé", "me@Ada.example", "é@Ada", "7@Ada", "@"]) {
      assert.equal(mentions(text.replaceAll("Ada", name), name).length, 0, text);
    }
  }
  assert.deepEqual(mentions("@ada @ÉLAN", "Ada"), [[0, 4]]);
  assert.deepEqual(mentions("@ada @ÉLAN", "Élan"), [[5, 10]]);
  assert.deepEqual(mentions("hello @", ""), []);
});
