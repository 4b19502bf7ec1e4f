import { timeOf } from "../net/id.js";
import { readNDJSON } from "../net/ndjson.js";
import { isComposing } from "../compose/composer.js";
import { make, makeCloseButton } from "../page/make.js";
import { formatDate, formatDateTime, times } from "../page/time.js";
import { showName } from "../people/names.js";

const MAX_EXCERPT = 200; // characters
const MAX_BEFORE_MATCH = 60; // characters of an excerpt before the first match
const roomName = make("span", { translate: false }, document.querySelector(".bar h1").lastChild.data);
const heading = make("h2", { id: "search-heading" }, "Search ", roomName);
const field = make("input", { name: "q", type: "search", placeholder: "Search for words or from:name", autocomplete: "off", maxLength: 200, dir: "auto", autofocus: true, required: true, "aria-labelledby": heading.id });
const closeButton = makeCloseButton({ type: "button" });
const form = make("form", { className: "form-row" }, field, make("button", {}, "Search"), closeButton);
const status = make("p", { role: "status" });
const list = make("ol");
const olderButton = make("button", { className: "secondary", type: "button", hidden: true }, "Search older messages");
const dialog = make("dialog", { id: "search", closedby: "any", "aria-labelledby": heading.id }, heading, form, status, list, olderButton);
document.body.append(dialog);
let aborter = new AbortController(); // aborts the last search
let options;
let nextQuery = {}; // the query that continues the last search

/**
 * Opens the search dialog. It still shows the results of the last search.
 * @param {{ room: string, goToMessage: (id: string) => void }} newOptions
 */
export function openSearch(newOptions) {
  options = newOptions;
  dialog.showModal();
  field.select();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  const [, name, word = "", q = text] = /^from:(?:["“„«]([^"”“»]+)["”“»]|(\S+))\s*(.*)$/i.exec(text) ?? [];
  list.replaceChildren();
  search({ q, from: name ?? word });
});
closeButton.addEventListener("click", () => dialog.close());
olderButton.addEventListener("click", () => search(nextQuery));
dialog.addEventListener("close", () => aborter.abort());
dialog.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || isComposing(event)) return;
  event.preventDefault(); // otherwise the browser only clears the field
  dialog.close();
});
dialog.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  dialog.close();
  options.goToMessage(link.pathname.split("/").pop());
});

/** Starts a search, and appends its results to the list as they arrive. @param {{ q: string, from: string, before?: string }} query */
async function search(query) {
  aborter.abort();
  aborter = new AbortController();
  const { signal } = aborter;
  olderButton.hidden = true;
  status.textContent = "Searching…";
  try {
    const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
    const response = await fetchWithRetry(`/r/${options.room}/search?${parameters}`, signal);
    for await (const result of readNDJSON(response.body)) {
      if (result.type === "error") throw new Error(errorText(result));
      if (result.done) return showEnd(query, result);
      list.append(makeRow(result));
    }
    throw new Error("The search was interrupted. Try again.");
  } catch (error) {
    if (signal.aborted) return;
    status.textContent = error instanceof TypeError ? "No connection. Try again in a moment." : error.message;
  }
}

/** Fetches a URL. Retries after status 429, because the server may still be running the search that was just aborted. */
async function fetchWithRetry(url, signal) {
  for (let tries = 0; ; tries++) {
    const response = await fetch(url, { signal });
    if (response.ok) return response;
    if (response.status !== 429 || tries === 3) throw new Error(errorText((await response.json()).error));
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

/** Returns the text to show for an error from the server. @param {{ code: string, message: string }} error */
function errorText({ code, message }) {
  return code === "unavailable" ? "Chat storage is down. Try again in a moment." : message;
}

times.addEventListener("change", () => {
  for (const time of list.querySelectorAll("time")) showTime(time);
});

/** Shows the time of a message. @param {HTMLTimeElement} element */
function showTime(element) {
  element.textContent = formatDateTime(Date.parse(element.dateTime));
}

/** Shows how many messages were found, and how far back the search went. */
function showEnd(query, { older }) {
  const { length } = list.children;
  const found = length === 0 ? "Nothing found" : length === 1 ? "1 match" : `${length} matches`;
  status.textContent = older ? `${found} since ${formatDate(timeOf(older))}.` : `${found} in the whole room.`;
  nextQuery = { ...query, before: older };
  olderButton.hidden = !older;
}

/** Returns the row of a search result. Its `matches` are pairs of positions in `text`, in code points. */
function makeRow({ id, user, text, matches = [], files = [] }) {
  const [row, link, author, time, excerpt] = ["li", "a", "b", "time", "p"].map((name) => document.createElement(name));
  link.href = `/r/${options.room}/${id}`;
  showName(author, user);
  author.dir = excerpt.dir = "auto";
  time.translate = false;
  time.dateTime = new Date(timeOf(id)).toISOString();
  showTime(time);
  const chars = [...text];
  const part = (from, to) => chars.slice(from, to).join("");
  const start = Math.max(0, (matches[0]?.[0] ?? 0) - MAX_BEFORE_MATCH);
  const end = Math.min(chars.length, start + MAX_EXCERPT);
  let shown = start;
  if (start) excerpt.append("…");
  for (const [from, to] of matches.filter((match) => match[1] <= end)) {
    const mark = document.createElement("mark");
    mark.textContent = part(from, to);
    excerpt.append(part(shown, from), mark);
    shown = to;
  }
  excerpt.append(part(shown, end), end < chars.length ? "…" : "");
  if (files.length) excerpt.append(text ? " · " : "", files.map(({ name }) => name).join(", "));
  link.append(author, " ", time, excerpt);
  row.append(link);
  return row;
}
