import assert from "node:assert/strict";
import test from "node:test";
import { isComposing } from "./keyboard.js";

test("isComposing is true for the key that ends a composition in Safari", () => {
  assert.ok(isComposing({ isComposing: true, keyCode: 13 }));
  assert.ok(isComposing({ isComposing: false, keyCode: 229 }));
  assert.ok(!isComposing({ isComposing: false, keyCode: 13 }));
});
