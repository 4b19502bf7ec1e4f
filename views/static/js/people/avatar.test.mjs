import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { hue, initial } from "./avatar.js";

const people = JSON.parse(readFileSync(new URL("../../../testdata/avatars.json", import.meta.url)));

test("avatars are those of the server", () => {
  for (const person of people) {
    assert.equal(hue(person.id), person.hue, person.id);
    assert.equal(initial(person.name), person.initial, person.name);
  }
});
