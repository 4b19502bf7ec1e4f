import assert from "node:assert/strict";
import test from "node:test";
import { fit, isAnimated } from "./scale-picture.js";

const bytes = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));

test("pictures are scaled so that their longer side has at most 2,560 pixels", () => {
  assert.deepEqual(fit(5120, 2880), [2560, 1440]);
  assert.deepEqual(fit(3000, 6000), [1280, 2560]);
  assert.deepEqual(fit(2560, 100), [2560, 100]);
  assert.deepEqual(fit(100_000, 3), [2560, 1]);
});

test("isAnimated finds the mark of an animation in each format", () => {
  assert.ok(isAnimated("image/gif", bytes("GIF89a")));
  assert.ok(isAnimated("image/png", bytes("\x89PNG\r\n\x1a\n....IHDR....acTL....IDAT")));
  assert.ok(!isAnimated("image/png", bytes("\x89PNG\r\n\x1a\n....IHDR....IDAT")));
  assert.ok(isAnimated("image/webp", bytes("RIFF....WEBPVP8X\x0a\0\0\0\x02...ANIM")));
  assert.ok(!isAnimated("image/webp", bytes("RIFF....WEBPVP8X\x0a\0\0\0\x10...")));
  assert.ok(!isAnimated("image/webp", bytes("RIFF....WEBPVP8 ....")));
  assert.ok(isAnimated("image/avif", bytes("\0\0\0\x1cftypavis....")));
  assert.ok(!isAnimated("image/jpeg", bytes("\xff\xd8\xff")));
});
