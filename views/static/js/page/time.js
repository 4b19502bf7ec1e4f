/** Times as people read them, in the reader's own zone and way of writing them. */

const clockFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dateFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const momentFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });
const agoFormat = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });

const SPANS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** The time of day. @param {number} time in milliseconds, as everywhere here */
export const clock = (time) => clockFormat.format(time);

/** "1 March 2026", or "March 1, 2026". @param {number} time */
export const date = (time) => dateFormat.format(time);

/** Date and time of day. @param {number} time */
export const moment = (time) => momentFormat.format(time);

/** The same for two times of one local day, and for no others. @param {number} time */
export const dayOf = (time) => new Date(time).toDateString();

/**
 * The day of a time, for a day line.
 * @param {number} time
 * @param {number} [now]
 */
export function day(time, now = Date.now()) {
  if (dayOf(time) === dayOf(now)) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayOf(time) === dayOf(yesterday)) return "Yesterday";
  const thisYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return thisYear ? dayFormat.format(time) : date(time);
}

/**
 * How long ago a time was: "now", "5 minutes ago", "yesterday", and after a month its date.
 * @param {number} time
 * @param {number} [now]
 */
export function ago(time, now = Date.now()) {
  const seconds = Math.max(0, (now - time) / 1_000);
  if (seconds > 30 * 86_400) return date(time);
  for (const [unit, span] of SPANS) {
    if (seconds >= span) return agoFormat.format(-Math.floor(seconds / span), unit);
  }
  return "just now";
}
