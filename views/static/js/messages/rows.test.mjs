import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

process.env.TZ = "UTC";
const { isContinuation, startsDay } = await import("./rows.js");

const { messages } = JSON.parse(readFileSync(new URL("../../../testdata/grouping.json", import.meta.url)));

test("the page groups messages by the same rules as the server", () => {
  let previous = null;
  for (const message of messages) {
    const grouping = { reply: false, unreadable: false, ...message, time: Date.parse(message.time) };
    assert.equal(startsDay(grouping, previous), message.day, message.case);
    assert.equal(isContinuation(grouping, previous), message.continued, message.case);
    previous = grouping;
  }
});
