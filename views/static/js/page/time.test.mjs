import assert from "node:assert/strict";
import test from "node:test";

process.env.TZ = "UTC";

/** Imports the module in a browser with this locale. */
function importFor(locale) {
  const { DateTimeFormat } = Intl;
  Intl.DateTimeFormat = class extends DateTimeFormat {
    constructor(requested = locale, options) {
      super(requested, options);
    }
  };
  return import(`./time.js?${locale}`).finally(() => (Intl.DateTimeFormat = DateTimeFormat));
}

const { timeAgo, formatDate, dayLabel, dayKey, formatDateTime } = await importFor("en-GB");
const american = await importFor("en-US");

const now = Date.parse("2026-03-02T10:00:00Z");

test("dayLabel returns Today, Yesterday or the date, without this year", () => {
  assert.equal(dayLabel(Date.parse("2026-03-02T00:00:00Z"), now), "Today");
  assert.equal(dayLabel(Date.parse("2026-03-01T23:59:59Z"), now), "Yesterday");
  assert.match(dayLabel(Date.parse("2026-02-28T12:00:00Z"), now), /^Saturday,? 28 February$/);
  assert.equal(dayLabel(Date.parse("2025-12-31T12:00:00Z"), now), "31 December 2025");
  assert.equal(formatDate(Date.parse("2026-03-01T00:00:00Z")), "1 March 2026");
});

test("dates and times follow the user's locale", () => {
  const evening = Date.parse("2026-03-01T20:59:00Z");
  assert.match(formatDateTime(evening), /^1 March 2026\D+20:59$/);
  assert.match(american.formatDateTime(evening), /^March 1, 2026\D+8:59\sPM$/);
  assert.equal(american.formatDate(evening), "March 1, 2026");
  assert.match(american.dayLabel(evening, now + 86_400_000), /^Sunday, March 1$/);
});

test("the formats follow the time zone of the device", async (t) => {
  const module = await import("./time.js?zone");
  const { times, updateFormats } = module;
  t.after(() => (process.env.TZ = "UTC"));
  const evening = Date.parse("2026-03-01T20:59:00Z");
  let changes = 0;
  times.addEventListener("change", () => changes++);
  updateFormats();
  const before = changes;
  updateFormats();
  assert.equal(changes, before);
  for (const [zone, expected] of [["Asia/Kolkata", /2:29/], ["America/Los_Angeles", /12:59/], ["UTC", /8:59|20:59/]]) {
    process.env.TZ = zone;
    updateFormats();
    for (const format of [module.formatTime, module.formatDateTime]) assert.match(format(evening), expected, zone);
  }
  assert.equal(changes, before + 3);
});

test("midnight is noticed within a minute, and a change of zone when the page becomes visible", async (t) => {
  t.mock.timers.enable({ apis: ["Date", "setInterval"], now: Date.parse("2026-03-01T23:59:30Z") });
  globalThis.document = new EventTarget();
  t.after(() => (process.env.TZ = "UTC"));
  const { times, keepFormatsCurrent } = await import("./time.js?midnight");
  let changes = 0;
  times.addEventListener("change", () => changes++);
  keepFormatsCurrent();
  t.mock.timers.tick(59_000);
  assert.equal(changes, 0);
  t.mock.timers.tick(1_000);
  assert.equal(changes, 1);
  t.mock.timers.tick(600_000);
  assert.equal(changes, 1);
  process.env.TZ = "Asia/Kolkata";
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(changes, 2);
});

test("dayKey identifies the day and the year", () => {
  assert.equal(dayKey(Date.parse("2026-03-01T00:00:00Z")), dayKey(Date.parse("2026-03-01T23:59:59Z")));
  assert.notEqual(dayKey(Date.parse("2026-03-01T00:00:00Z")), dayKey(Date.parse("2027-03-01T00:00:00Z")));
});

test("timeAgo rounds down to whole units", () => {
  const minute = 60_000;
  assert.equal(timeAgo(now - 20_000, now), "just now");
  assert.equal(timeAgo(now + 20_000, now), "just now", "a time in the future, because the server's clock is ahead");
  assert.equal(timeAgo(now - 5 * minute, now), "5 minutes ago");
  assert.equal(timeAgo(now - 26 * 60 * minute, now), "yesterday");
  assert.equal(timeAgo(now - 60 * 24 * 60 * minute, now), "1 January 2026");
});
