import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { hueOf, initialOf } from "./names.js";

const people = JSON.parse(readFileSync(new URL("../../../testdata/avatars.json", import.meta.url)));

test("the page renders the same avatars as the server", () => {
  for (const person of people) {
    assert.equal(hueOf(person.id), person.hue, person.id);
    assert.equal(initialOf(person.name), person.initial, person.name);
  }
});
