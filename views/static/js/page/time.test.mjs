import assert from "node:assert/strict";
import test from "node:test";

process.env.TZ = "UTC";

/** The module as a reader of that locale has it. */
function readBy(reader) {
  const { DateTimeFormat } = Intl;
  Intl.DateTimeFormat = class extends DateTimeFormat {
    constructor(locale = reader, options) {
      super(locale, options);
    }
  };
  return import(`./time.js?${reader}`).finally(() => (Intl.DateTimeFormat = DateTimeFormat));
}

const { ago, date, day, dayOf, moment } = await readBy("en-GB");
const american = await readBy("en-US");

const now = Date.parse("2026-03-02T10:00:00Z");

test("days have names for people", () => {
  assert.equal(day(Date.parse("2026-03-02T00:00:00Z"), now), "Today");
  assert.equal(day(Date.parse("2026-03-01T23:59:59Z"), now), "Yesterday");
  assert.match(day(Date.parse("2026-02-28T12:00:00Z"), now), /^Saturday,? 28 February$/);
  assert.equal(day(Date.parse("2025-12-31T12:00:00Z"), now), "31 December 2025");
  assert.equal(date(Date.parse("2026-03-01T00:00:00Z")), "1 March 2026");
});

test("date and clock are written as the reader writes them, both", () => {
  const evening = Date.parse("2026-03-01T20:59:00Z");
  assert.match(moment(evening), /^1 March 2026\D+20:59$/);
  assert.match(american.moment(evening), /^March 1, 2026\D+8:59\sPM$/);
  assert.equal(american.date(evening), "March 1, 2026");
  assert.match(american.day(evening, now + 86_400_000), /^Sunday, March 1$/);
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
