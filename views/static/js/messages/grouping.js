import { dayOf } from "../page/time.js";

const WITHIN = 5 * 60_000; // views.Arrange has the same rule

/**
 * @typedef {object} Heading what decides how two neighbours are grouped
 * @property {string} user the author's ID
 * @property {string} name
 * @property {number} time in milliseconds
 * @property {boolean} reply whether it answers another message
 * @property {boolean} unreadable
 */

/**
 * Whether a message begins a day.
 * @param {Heading} message
 * @param {Heading | null} before
 */
export function startsDay(message, before) {
  return !before || dayOf(message.time) !== dayOf(before.time);
}

/**
 * Whether a message goes without a heading, under the one before it.
 * @param {Heading} message
 * @param {Heading | null} before
 */
export function continues(message, before) {
  return (
    !startsDay(message, before) &&
    !message.unreadable &&
    !before.unreadable &&
    !message.reply &&
    message.user === before.user &&
    message.name === before.name &&
    message.time - before.time < WITHIN
  );
}
