/** Measures time, and formats times in the user's time zone and locale. All times are in milliseconds. */

/** Dispatches `change` when times must be formatted again, because the day, the time zone or the locale has changed. */
export const times = new EventTarget();

let formatDay;
let current = ""; // the day, the time zone and the locale
const relativeFormat = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** Returns the time of day, such as "20:59" or "8:59 PM". @type {(time: number) => string} */
export let formatTime;

/** Returns the date, such as "1 March 2026" or "March 1, 2026". @type {(time: number) => string} */
export let formatDate;

/** Returns the date and the time of day. @type {(time: number) => string} */
export let formatDateTime;

/** Returns a string that identifies the local day of a time. @param {number} time */
export const dayKey = (time) => new Date(time).toDateString();

/**
 * Returns the label of a day: "Today", "Yesterday" or the date, without the year if it is this year.
 * @param {number} time
 * @param {number} [now]
 */
export function dayLabel(time, now = Date.now()) {
  if (dayKey(time) === dayKey(now)) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayKey(time) === dayKey(yesterday)) return "Yesterday";
  const isThisYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return isThisYear ? formatDay(time) : formatDate(time);
}

/**
 * Returns how long ago a time was, such as "just now", "5 minutes ago" or "yesterday". After 30 days, returns the date.
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

/** Updates the formats, which keep the time zone and the locale that they were created with. */
export function updateFormats() {
  const { timeZone, locale } = new Intl.DateTimeFormat().resolvedOptions();
  const latest = [dayKey(Date.now()), timeZone, locale].join();
  if (latest === current) return;
  current = latest;
  [formatDay, formatTime, formatDate, formatDateTime] = [
    { weekday: "long", day: "numeric", month: "long" },
    { timeStyle: "short" },
    { dateStyle: "long" },
    { dateStyle: "long", timeStyle: "short" },
  ].map((options) => new Intl.DateTimeFormat(undefined, options).format);
  times.dispatchEvent(new Event("change"));
}

updateFormats();

/** Updates the formats every minute, and when the page becomes visible. */
export function keepFormatsCurrent() {
  setInterval(updateFormats, 60_000);
  document.addEventListener("visibilitychange", updateFormats);
}

const MAX_DIFFERENCE = 60_000; // milliseconds; a smaller jump of the device's clock is an ordinary correction

/**
 * Stopwatch measures the time since it was created, in milliseconds. Date.now() changes when the device's
 * clock is set. performance.now() does not, but in some browsers it stops while the device sleeps.
 */
export class Stopwatch {
  #start = performance.now();
  #startDate = Date.now();

  /** @returns {number} time awake, regardless of changes to the device's clock */
  get awake() {
    return performance.now() - this.#start;
  }

  /** @returns {number} time including sleep; too long if the device's clock was set forward */
  get longest() {
    return Math.max(this.awake, Date.now() - this.#startDate);
  }

  /** @returns {boolean} whether the device neither slept nor had its clock set */
  get isExact() {
    return Math.abs(Date.now() - this.#startDate - this.awake) < MAX_DIFFERENCE;
  }
}
