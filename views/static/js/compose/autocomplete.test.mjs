import assert from "node:assert/strict";
import test from "node:test";
import { completionAt, matchNames } from "./autocomplete.js";

test("completionAt returns the word at the end of the text if its trigger follows white space", () => {
  assert.deepEqual(completionAt("hello @Ad"), { trigger: "@", word: "ad", start: 6 });
  assert.deepEqual(completionAt("@"), { trigger: "@", word: "", start: 0 });
  assert.deepEqual(completionAt("a\n:tad"), { trigger: ":", word: "tad", start: 2 });
  for (const text of ["", "hello", "ada@example", "12:30", ":", ":t", "a :) ", "@Ada "]) assert.equal(completionAt(text), null, text);
});

test("a trigger may follow any character except a letter or digit of a script with spaces", () => {
  for (const before of ["(", "[", "“", "-", "/", "…", ",", "👍", "你好", "（", "「", "สวัสดี", "@", "*", "_", "\u00a0"]) {
    assert.equal(completionAt(`${before}@Jo`)?.word, "jo", before);
    assert.equal(completionAt(`${before}:smi`)?.word, "smi", before);
  }
  for (const before of ["a", "7", "é", "e\u0301", "я", "ل"]) {
    assert.equal(completionAt(`${before}@Jo`), null, before);
    assert.equal(completionAt(`${before}:smi`), null, before);
  }
  assert.equal(completionAt("std::vec"), null);
  assert.deepEqual(completionAt("（＠Jo"), { trigger: "@", word: "jo", start: 1 });
});

test("names match regardless of case, accents and width", () => {
  const names = ["José", "Σωκράτης", "Straße", "İpek", "O’Brien", "Ｄｏｒａ", "Søren"];
  for (const [text, name] of [["@jose", "José"], ["@JOSÉ", "José"], ["@Jose\u0301", "José"], ["@σωκρατ", "Σωκράτης"], ["@strass", "Straße"], ["@ipek", "İpek"], ["@o'b", "O’Brien"], ["@dora", "Ｄｏｒａ"], ["@soren", "Søren"]]) {
    assert.deepEqual(matchNames(names, completionAt(text).word), [name], text);
  }
});

test("names that begin with the word come first", () => {
  assert.deepEqual(matchNames(["banana", "Nan", "nacho", "kiwi"], "na"), ["Nan", "nacho", "banana"]);
  assert.equal(matchNames(Array(20).fill("ada"), "a").length, 8);
});
