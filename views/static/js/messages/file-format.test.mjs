import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { formatSize, isPicture, kindOf, playerOf, shownSize } from "./file-format.js";

const cases = JSON.parse(readFileSync(new URL("../../../testdata/files.json", import.meta.url)));

test("the page shows sizes, kinds and thumbnails as the server does", () => {
  for (const [bytes, text] of cases.sizes) assert.equal(formatSize(bytes), text);
  for (const [name, kind] of cases.kinds) assert.equal(kindOf(name), kind, name);
  for (const [size, shown] of cases.thumbnails) assert.deepEqual(shownSize(...size), shown);
});

test("only types that browsers show safely are shown", () => {
  assert.ok(isPicture("image/png"));
  assert.ok(!isPicture("image/svg+xml"));
  assert.deepEqual(["video/mp4", "audio/ogg", "text/html", ""].map(playerOf), ["video", "audio", "", ""]);
});
