import assert from "node:assert/strict";
import test from "node:test";
import { loadLookalikes, Names, skeletonOf } from "./names.js";

test("names are compared again once the table of lookalikes is loaded", async () => {
  const names = new Names();
  const ada = { id: "3f2a", name: "Ada" };
  names.add(ada);
  const clash = new Promise((resolve) => names.addEventListener("clash", resolve));
  names.add({ id: "9c01", name: "ꓮda" });
  assert.equal(names.tagOf(ada), "");
  await clash;
  assert.equal(names.tagOf(ada), "3f2");
  await loadLookalikes();
});

for (const [name, other, isSame] of [
  ["Ada", "ada", true],
  ["Ada", "Аdа", true], // Cyrillic А and а
  ["Ada", "A d a", true],
  ["Ada", "A\u200bda", true],
  ["Ada", "𝐀𝐝𝐚", true],
  ["Ada", "Àda", true],
  ["Bill", "BiII", true],
  ["Bill", "B1l|", true],
  ["Bob", "B0b", true],
  ["Marne", "Mame", true],
  ["Νick", "Nick", true], // Greek Ν
  ["Ada", "Ada ·9c0", true], // imitates a tag
  ["Ada", "ꓮda", true], // Lisu
  ["Ada", "ᴀda", true], // small capital
  ["Ada", "Ⲁda", true], // Coptic
  ["Ada", "ᗅꓒꓮ", true], // Canadian Syllabics and Lisu
  ["Ada", "🅰️🅳🅰", true],
  ["Ada", "🇦🇩🇦", true],
  ["Ada", "⒜d⒜", true],
  ["Ada", "𐊠ԁа", true], // Carian and Cyrillic
  ["Ada", "ᎪᎠᎪ", true], // Cherokee
  ["Bob", "ᏴᏫᏴ", true],
  ["Nick", "ɴɪᴄᴋ", true],
  ["rose", "ꭇоѕе", true],
  ["Иван", "Ивaн", true], // Latin a
  ["Ρετρος", "Pετρoς", true], // Latin P and o
  ["口", "ロ", true], // Katakana
  ["علی", "على", true], // Persian yeh, and alef maksura
  ["Ada", "Adam", false],
  ["ليلى", "ليلا", false],
  ["李", "王", false],
]) {
  test(`"${name}" and "${other}" ${isSame ? "look the same" : "do not look the same"}`, () => {
    assert.equal(skeletonOf(name) === skeletonOf(other), isSame);
  });
}

test("only names that look the same are tagged", () => {
  const names = new Names();
  let clashes = 0;
  names.addEventListener("clash", () => clashes++);
  const [real, imitation, bob] = [{ id: "3f2a", name: "Ada" }, { id: "9c01", name: "Аda" }, { id: "77", name: "Bob" }];
  for (const user of [real, real, bob]) names.add(user);
  assert.equal(names.label(real), "Ada");
  names.add(imitation);
  assert.equal(clashes, 1);
  assert.deepEqual([real, imitation, bob].map((user) => names.tagOf(user)), ["3f2", "9c0", ""]);
});

test("a name that mixes scripts, or is 'you', is always tagged", () => {
  const names = new Names();
  assert.deepEqual(["Аda", "you", "Ада", "Ada", "李 Ada", "ꓮda", "Ada علی"].map((name) => names.label({ id: "3f2a", name })), ["Аda ·3f2", "you ·3f2", "Ада", "Ada", "李 Ada", "ꓮda ·3f2", "Ada علی"]);
});

test("a tag is long enough to be unique", () => {
  const names = new Names();
  const [ada, otherAda] = [{ id: "3f2a1", name: "Ada" }, { id: "3f2a2", name: "Ada" }];
  names.add(ada);
  names.add(otherAda);
  assert.equal(names.tagOf(ada), "3f2a1");
});
