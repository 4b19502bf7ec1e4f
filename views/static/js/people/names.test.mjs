import assert from "node:assert/strict";
import test from "node:test";
import { Names, skeleton } from "./names.js";

for (const [one, other, same] of [
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
  ["Ada", "Ada ·9c0", true], // as if it were tagged
  ["Ada", "Adam", false],
  ["ليلى", "ليلا", false],
  ["李", "王", false],
]) {
  test(`"${one}" and "${other}" ${same ? "look the same" : "do not look the same"}`, () => {
    assert.equal(skeleton(one) === skeleton(other), same);
  });
}

test("those who look the same are tagged, all of them, and nobody else", () => {
  const names = new Names();
  let clashes = 0;
  names.addEventListener("clash", () => clashes++);
  const [real, other, bob] = [{ id: "3f2a", name: "Ada" }, { id: "9c01", name: "Аda" }, { id: "77", name: "Bob" }];
  for (const user of [real, real, bob]) names.note(user);
  assert.equal(names.of(real), "Ada");
  names.note(other);
  assert.equal(clashes, 1);
  assert.deepEqual([real, other, bob].map((user) => names.tag(user)), ["3f2", "9c0", ""]);
});

test("who mixes scripts, or is called you, is tagged without another", () => {
  const names = new Names();
  assert.deepEqual(["Аda", "you", "Ада", "Ada", "李 Ada"].map((name) => names.of({ id: "3f2a", name })), ["Аda ·3f2", "you ·3f2", "Ада", "Ada", "李 Ada"]);
});

test("a tag is as long as it must be", () => {
  const names = new Names();
  const [one, two] = [{ id: "3f2a1", name: "Ada" }, { id: "3f2a2", name: "Ada" }];
  names.note(one);
  names.note(two);
  assert.equal(names.tag(one), "3f2a1");
});
