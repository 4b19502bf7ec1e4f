import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { findMentions, fold } from "./highlight.js";

const cases = JSON.parse(await readFile(new URL("../../../testdata/mentions.json", import.meta.url), "utf8"));

test("findMentions finds the same mentions as the server", () => {
  assert.ok(cases.length > 40);
  for (const { text, names, name, prose, mentioned } of cases) {
    assert.equal(prose.some((part) => findMentions(part, name, names).length > 0), mentioned, `${name} in ${text}`);
  }
});

test("findMentions returns positions in UTF-16 units", () => {
  assert.deepEqual(findMentions("🙌 @ada, @E\u0301LAN", "Ada"), [[3, 7]]);
  assert.deepEqual(findMentions("🙌 @ada, @E\u0301LAN", "Élan"), [[9, 15]]);
  assert.deepEqual(findMentions("@Ada Lovelace", "Ada Lovelace", ["Ada"]), [[0, 13]]);
  assert.deepEqual(findMentions("@Ada Lovelace", "Ada", ["Ada Lovelace"]), []);
  assert.deepEqual(findMentions("hello @", ""), []);
});

test("findMentions is fast in long texts", () => {
  const began = performance.now();
  findMentions("@".repeat(4000), "Ada", Array.from({ length: 300 }, (_, i) => `Ada ${i}`));
  findMentions("@ada x ".repeat(570), "Ada", Array.from({ length: 300 }, (_, i) => `Ada ${i}`));
  assert.ok(performance.now() - began < 3000, `${performance.now() - began} ms`);
});

test("fold returns the same text for spellings that people consider the same", () => {
  for (const [a, b] of [["ΣΩΚΡΆΤΗΣ", "Σωκράτης"], ["Straße", "STRASSE"], ["İstanbul", "istanbul"], ["Ｊosé", "jose"], ["a\u00a0 b", "A B"], ["O’Brien", "o'brien"]]) {
    assert.equal(fold(a), fold(b));
  }
  assert.notEqual(fold("か"), fold("が"));
});
