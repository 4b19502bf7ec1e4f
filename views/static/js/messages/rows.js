import { compare } from "../net/id.js";
import { continues, startsDay } from "./grouping.js";
import { headingOf, timeOfArticle } from "./message.js";
import { day } from "../page/time.js";

/** The rows of the log: messages are articles; day lines and gaps stand between them. */

/**
 * Gives a message its day line and heading, or takes them away, as its neighbour
 * before asks for.
 * @param {Element | null} article
 */
export function decorate(article) {
  if (!article) return;
  const before = previous(article);
  const heading = headingOf(article);
  const headingBefore = before && headingOf(before);
  const line = dayLine(article);
  const isNew = startsNew(article, before);
  if (before) timeLink(before).tabIndex = -1;
  timeLink(article).tabIndex = next(article) ? -1 : 0; // One stop of the Tab key; from there by arrows.
  article.toggleAttribute("data-new", isNew);
  article.toggleAttribute("data-continued", !isNew && !afterGap(article) && continues(heading, headingBefore));
  if (startsDay(heading, headingBefore)) {
    (line ?? addDayLine(article)).firstElementChild.textContent = day(timeOfArticle(article));
  } else {
    line?.remove();
  }
}

/** Removes a message, and its day line unless the next message takes it over. @param {Element} article */
export function drop(article) {
  const after = next(article);
  dayLine(article)?.remove();
  article.remove();
  decorate(after);
}

/** The message before one. @param {Element} article @returns {Element | null} */
export function previous(article) {
  return lastAt(article.previousElementSibling);
}

/** The last message at or before a row. @param {Element | null} row @returns {Element | null} */
export function lastAt(row) {
  while (row && row.localName !== "article") row = row.previousElementSibling;
  return row;
}

/** The message after one. @param {Element} article @returns {Element | null} */
export function next(article) {
  let row = article.nextElementSibling;
  while (row && row.localName !== "article") row = row.nextElementSibling;
  return row;
}

/** Whether a message is the first that was not read: views.Room.Rows has the same rule. */
function startsNew(article, before) {
  const { read } = article.parentElement.dataset;
  if (!read || !article.id || compare(article.id.slice(1), read) <= 0) return false;
  return before ? compare(before.id.slice(1), read) <= 0 : article.dataset.n === "1";
}

const timeLink = (article) => article.querySelector(".when");

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

function afterGap(article) {
  const row = (dayLine(article) ?? article).previousElementSibling;
  return row?.matches(".gap") ?? false;
}
