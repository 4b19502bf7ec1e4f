import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

process.env.TZ = "UTC";
const { continues, startsDay } = await import("./grouping.js");

const { messages } = JSON.parse(readFileSync(new URL("../../../testdata/grouping.json", import.meta.url)));

test("messages are grouped as the server groups them", () => {
  let before = null;
  for (const message of messages) {
    const heading = { reply: false, unreadable: false, ...message, time: Date.parse(message.time) };
    assert.equal(startsDay(heading, before), message.day, message.case);
    assert.equal(continues(heading, before), message.continued, message.case);
    before = heading;
  }
});
