import { compareIDs } from "../net/id.js";
import { dayKey, dayLabel } from "../page/time.js";
import { groupingOf, timeOfArticle } from "./message.js";

/** The rows of the message list: messages, which are articles, and the day lines and gaps between them. */

const GROUP_INTERVAL = 5 * 60_000; // milliseconds; the same as groupInterval in message.go

/**
 * @typedef {object} Grouping the properties that decide whether messages are grouped
 * @property {string} user ID of the author
 * @property {string} name of the author
 * @property {number} time in milliseconds
 * @property {boolean} reply whether it is a reply
 * @property {boolean} unreadable
 */

/**
 * Reports whether a message is the first of its day.
 * @param {Grouping} message
 * @param {Grouping | null} previous
 */
export function startsDay(message, previous) {
  return !previous || dayKey(message.time) !== dayKey(previous.time);
}

/**
 * Reports whether a message continues the previous one, and therefore has no heading. views.Arrange
 * applies the same rules.
 * @param {Grouping} message
 * @param {Grouping | null} previous
 */
export function isContinuation(message, previous) {
  return (
    !startsDay(message, previous) &&
    !message.unreadable &&
    !previous.unreadable &&
    !message.reply &&
    message.user === previous.user &&
    message.name === previous.name &&
    message.time - previous.time < GROUP_INTERVAL
  );
}

/**
 * Updates the parts of a message that depend on its neighbors: the day line, the heading, the
 * "New" line and its tab stop.
 * @param {Element | null} article
 */
export function updateRow(article) {
  if (!article) return;
  const previous = previousMessage(article);
  const grouping = groupingOf(article);
  const previousGrouping = previous && groupingOf(previous);
  const line = dayLine(article);
  const isUnreadStart = isFirstUnread(article, previous);
  if (previous) timeLink(previous).tabIndex = -1;
  timeLink(article).tabIndex = nextMessage(article) ? -1 : 0; // Tab stops only at the last message; arrow keys reach the others
  article.toggleAttribute("data-first-unread", isUnreadStart);
  article.toggleAttribute("data-continued", !isUnreadStart && !followsGap(article) && isContinuation(grouping, previousGrouping));
  if (startsDay(grouping, previousGrouping)) {
    (line ?? addDayLine(article)).firstElementChild.textContent = dayLabel(timeOfArticle(article));
  } else {
    line?.remove();
  }
}

/** Removes a message and its day line, and updates the next message. @param {Element} article */
export function removeRow(article) {
  const next = nextMessage(article);
  dayLine(article)?.remove();
  article.remove();
  updateRow(next);
}

/** @param {Element} article @returns {Element | null} */
export function previousMessage(article) {
  return lastMessageUpTo(article.previousElementSibling);
}

/** Returns the row if it is a message, else the last message before it. @param {Element | null} row @returns {Element | null} */
export function lastMessageUpTo(row) {
  while (row && row.localName !== "article") row = row.previousElementSibling;
  return row;
}

/** @param {Element} article @returns {Element | null} */
export function nextMessage(article) {
  let row = article.nextElementSibling;
  while (row && row.localName !== "article") row = row.nextElementSibling;
  return row;
}

/** Reports whether a message is the first unread one. views.Room.Rows applies the same rule. */
function isFirstUnread(article, previous) {
  const { read } = article.parentElement.dataset;
  if (!read || !article.id || compareIDs(article.id.slice(1), read) <= 0) return false;
  return previous ? compareIDs(previous.id.slice(1), read) <= 0 : "begins" in article.parentElement.dataset;
}

const timeLink = (article) => article.querySelector(".timestamp");

function dayLine(article) {
  const line = article.previousElementSibling;
  return line?.matches(".day") ? line : null;
}

function addDayLine(article) {
  const line = document.createElement("h2");
  line.className = "day";
  line.append(document.createElement("span"));
  article.before(line);
  return line;
}

function followsGap(article) {
  const row = (dayLine(article) ?? article).previousElementSibling;
  return row?.matches(".gap") ?? false;
}
