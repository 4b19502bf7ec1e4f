import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { formatSize, isPicture, extensionOf, playerOf, shownSize } from "./file-format.js";

const cases = JSON.parse(readFileSync(new URL("../../../testdata/files.json", import.meta.url)));

test("the page formats sizes, extensions and thumbnails like the server", () => {
  for (const [bytes, text] of cases.sizes) assert.equal(formatSize(bytes), text);
  for (const [name, extension] of cases.extensions) assert.equal(extensionOf(name), extension, name);
  for (const [size, shown] of cases.thumbnails) assert.deepEqual(shownSize(...size), shown);
});

test("only types that are safe in a browser are shown", () => {
  assert.ok(isPicture("image/png"));
  assert.ok(!isPicture("image/svg+xml"));
  assert.deepEqual(["video/mp4", "audio/ogg", "text/html", ""].map(playerOf), ["video", "audio", "", ""]);
});
