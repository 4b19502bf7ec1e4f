/** Times as text, in the reader's time zone and locale. All times are in milliseconds. */

const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dateFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const dateTimeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });
const relativeFormat = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** Returns the time of day, such as "20:59". @param {number} time */
export const formatTime = (time) => timeFormat.format(time);

/** Returns "1 March 2026", or "March 1, 2026". @param {number} time */
export const formatDate = (time) => dateFormat.format(time);

/** Returns the date and the time of day. @param {number} time */
export const formatDateTime = (time) => dateTimeFormat.format(time);

/** Returns a text that is equal for two times if they fall on one local day. @param {number} time */
export const dayKey = (time) => new Date(time).toDateString();

/**
 * Returns the label of a day: "Today", "Yesterday" or its date.
 * @param {number} time
 * @param {number} [now]
 */
export function dayLabel(time, now = Date.now()) {
  if (dayKey(time) === dayKey(now)) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayKey(time) === dayKey(yesterday)) return "Yesterday";
  const isThisYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return isThisYear ? dayFormat.format(time) : formatDate(time);
}

/**
 * Returns how long ago a time was: "just now", "5 minutes ago", "yesterday", and after 30 days its date.
 * @param {number} time
 * @param {number} [now]
 */
export function timeAgo(time, now = Date.now()) {
  const seconds = Math.max(0, (now - time) / 1_000);
  if (seconds > 30 * 86_400) return formatDate(time);
  for (const [unit, span] of UNITS) {
    if (seconds >= span) return relativeFormat.format(-Math.floor(seconds / span), unit);
  }
  return "just now";
}
