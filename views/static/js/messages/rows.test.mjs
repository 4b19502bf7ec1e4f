import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

process.env.TZ = "UTC";
const { isContinuation, startsDay } = await import("./rows.js");

const { messages } = JSON.parse(readFileSync(new URL("../../../testdata/grouping.json", import.meta.url)));

test("messages are grouped as the server groups them", () => {
  let previous = null;
  for (const message of messages) {
    const heading = { reply: false, unreadable: false, ...message, time: Date.parse(message.time) };
    assert.equal(startsDay(heading, previous), message.day, message.case);
    assert.equal(isContinuation(heading, previous), message.continued, message.case);
    previous = heading;
  }
});
