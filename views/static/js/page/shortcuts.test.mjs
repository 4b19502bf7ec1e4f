import assert from "node:assert/strict";
import test from "node:test";
import { isComposing } from "../compose/composer.js";
import { shortcutKey } from "./shortcuts.js";

test("isComposing is true for the key that ends a composition in Safari", () => {
  assert.ok(isComposing({ isComposing: true, keyCode: 13 }));
  assert.ok(isComposing({ isComposing: false, keyCode: 229 }));
  assert.ok(!isComposing({ isComposing: false, keyCode: 13 }));
});

test("shortcuts work on layouts for other scripts, and on Latin layouts with the key that types the character", () => {
  const keys = [
    ["k", "KeyK", false, "k"],
    ["K", "KeyK", true, "k"],
    ["k", "KeyV", false, "k"], // Dvorak
    ["t", "KeyK", false, "t"], // Dvorak
    ["л", "KeyK", false, "k"], // Russian
    ["Л", "KeyK", true, "k"],
    ["κ", "KeyK", false, "k"], // Greek
    ["ל", "KeyK", false, "k"], // Hebrew
    ["ن", "KeyK", false, "k"], // Arabic
    ["/", "Slash", false, "/"],
    ["?", "Slash", true, "?"],
    ["/", "Digit7", true, "/"], // German
    ["-", "Slash", false, "-"], // German
    ["_", "Slash", true, "_"], // German
    ["7", "Digit7", false, "7"],
    ["é", "Slash", false, "é"], // Canadian French
    [".", "Slash", false, "/"], // Russian
    [",", "Slash", true, "?"], // Russian
    ["/", "KeyQ", false, "/"], // Hebrew
    ["؟", "Slash", true, "?"], // Arabic
    ["ฝ", "Slash", false, "/"], // Thai
    [".", "Period", false, "."],
    ["Escape", "Escape", false, "escape"],
    ["л", "", false, "л"], // a virtual keyboard
  ];
  for (const [key, code, shiftKey, want] of keys) assert.equal(shortcutKey({ key, code, shiftKey }), want, `${key} on ${code}`);
});
