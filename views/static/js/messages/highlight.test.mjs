import assert from "node:assert/strict";
import test from "node:test";
import { findAll, findMentions } from "./highlight.js";

test("findAll returns every match, ignoring case", () => {
  assert.deepEqual(findAll("Ada and ADA", "ada"), [[0, 3], [8, 11]]);
  assert.deepEqual(findAll("nothing", "ada"), []);
  assert.deepEqual(findAll("anything", ""), []);
});

test("findAll matches the special characters of regular expressions literally", () => {
  assert.deepEqual(findAll("a.b a+b (x) [y] a-b \\ ^", "a.b"), [[0, 3]]);
  for (const term of ["a+b", "(x)", "[y]", "a-b", "\\", "^"]) assert.equal(findAll("a.b a+b (x) [y] a-b \\ ^", term).length, 1, term);
});

test("findAll counts positions in UTF-16 units", () => {
  assert.deepEqual(findAll("🙌🙌 Ärger", "ärger"), [[5, 10]]);
});

test("a mention is @ and the whole name, ignoring case", () => {
  for (const name of ["Ada", "Élan Vital"]) {
    for (const text of ["@Ada", "hi @Ada!", "(@Ada)", "@Ada…", "@Ada👍", "你好@Ada，", "@Adaさん", "@Ada's", "@Adax, no, @Ada"]) {
      assert.equal(findMentions(text.replaceAll("Ada", name), name).length, 1, text);
    }
    for (const text of ["Ada", "@Adam", "@Ada2", "@Adaé", "me@Ada.example", "é@Ada", "7@Ada", "@"]) {
      assert.equal(findMentions(text.replaceAll("Ada", name), name).length, 0, text);
    }
  }
  assert.deepEqual(findMentions("@ada @ÉLAN", "Ada"), [[0, 4]]);
  assert.deepEqual(findMentions("@ada @ÉLAN", "Élan"), [[5, 10]]);
  assert.deepEqual(findMentions("hello @", ""), []);
});
