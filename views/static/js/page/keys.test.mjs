import assert from "node:assert/strict";
import test from "node:test";
import { composing } from "./keys.js";

test("a key that an input method takes is not ours, though Safari says the word is done", () => {
  assert.ok(composing({ isComposing: true, keyCode: 13 }));
  assert.ok(composing({ isComposing: false, keyCode: 229 }));
  assert.ok(!composing({ isComposing: false, keyCode: 13 }));
});
