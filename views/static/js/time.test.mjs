import assert from "node:assert/strict";
import test from "node:test";

process.env.TZ = "UTC";
const { ago, date, day, dayOf } = await import("./time.js");

const now = Date.parse("2026-03-02T10:00:00Z");

test("days have names for people", () => {
  assert.equal(day(Date.parse("2026-03-02T00:00:00Z"), now), "Today");
  assert.equal(day(Date.parse("2026-03-01T23:59:59Z"), now), "Yesterday");
  assert.match(day(Date.parse("2026-02-28T12:00:00Z"), now), /^Saturday,? 28 February$/);
  assert.equal(day(Date.parse("2025-12-31T12:00:00Z"), now), "31 December 2025");
  assert.equal(date(Date.parse("2026-03-01T00:00:00Z")), "1 March 2026");
});

test("one day is one day", () => {
  assert.equal(dayOf(Date.parse("2026-03-01T00:00:00Z")), dayOf(Date.parse("2026-03-01T23:59:59Z")));
  assert.notEqual(dayOf(Date.parse("2026-03-01T00:00:00Z")), dayOf(Date.parse("2027-03-01T00:00:00Z")));
});

test("how long ago, coarsely", () => {
  const minute = 60_000;
  assert.equal(ago(now - 20_000, now), "just now");
  assert.equal(ago(now + 20_000, now), "just now", "clocks differ");
  assert.equal(ago(now - 5 * minute, now), "5 minutes ago");
  assert.equal(ago(now - 26 * 60 * minute, now), "yesterday");
  assert.equal(ago(now - 60 * 24 * 60 * minute, now), "1 January 2026");
});
