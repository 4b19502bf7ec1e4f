import { timeOf } from "../net/id.js";
import { readNDJSON } from "../net/ndjson.js";
import { isComposing } from "../page/keyboard.js";
import { formatDate, formatDateTime } from "../page/time.js";
import { showName } from "../people/avatar.js";
import { findAll, highlight } from "./highlight.js";

const EXCERPT = 200; // maximum length of an excerpt, in UTF-16 units
const LEAD = 60; // UTF-16 units shown before the first match
const dialog = document.getElementById("search");
const [form, status, list, more] = [...dialog.children].slice(1);
let running = new AbortController();
let options;
let nextQuery = {};

/**
 * Opens the search dialog of a room, which still shows the results of the last search.
 * @param {{ room: string, goToMessage: (id: string) => void }} given
 */
export function openSearch(given) {
  options = given;
  dialog.showModal();
  form.elements.q.select();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [, from = "", rest = form.elements.q.value] = /^from:(\S+)\s*(.*)$/i.exec(form.elements.q.value.trim()) ?? [];
  list.replaceChildren();
  search({ q: rest.trim(), from });
});
form.elements.close.addEventListener("click", () => dialog.close());
more.addEventListener("click", () => search(nextQuery));
dialog.addEventListener("close", () => running.abort());
dialog.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || isComposing(event)) return;
  event.preventDefault(); // Otherwise the first Esc would only clear the field.
  dialog.close();
});
dialog.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  dialog.close();
  options.goToMessage(link.pathname.split("/").pop());
});

/** Shows results as they arrive. @param {{ q: string, from: string, before?: string }} query */
async function search(query) {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  more.hidden = true;
  status.textContent = "Searching…";
  try {
    const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
    const response = await fetchWithRetry(`/r/${options.room}/search?${parameters}`, signal);
    for await (const result of readNDJSON(response.body)) {
      if (result.type === "error") throw new Error(explain(result));
      if (result.done) return finish(query, result);
      list.append(makeRow(result, query.q));
    }
    throw new Error("The search was interrupted. Try again.");
  } catch (error) {
    if (signal.aborted) return;
    status.textContent = error instanceof TypeError ? "No connection. Try again in a moment." : error.message;
  }
}

/** Retries when the server refuses too many searches at once: it may not have stopped the previous one yet. */
async function fetchWithRetry(url, signal) {
  for (let tries = 0; ; tries++) {
    const response = await fetch(url, { signal });
    if (response.ok) return response;
    if (response.status !== 429 || tries === 3) throw new Error(explain((await response.json()).error));
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

/** Returns the text to show for an error from the server. @param {{ code: string, message: string }} error */
function explain({ code, message }) {
  return code === "unavailable" ? "Chat storage is down. Try again in a moment." : message;
}

function finish(query, { older }) {
  const { length } = list.children;
  const found = length === 0 ? "Nothing found" : length === 1 ? "1 message" : `${length} messages`;
  status.textContent = older ? `${found}; searched back to ${formatDate(timeOf(older))}.` : `${found} in the whole room.`;
  nextQuery = { ...query, before: older };
  more.hidden = !older;
}

function makeRow({ id, user, text }, term) {
  const [row, link, author, time, excerpt] = ["li", "a", "b", "time", "p"].map((name) => document.createElement(name));
  link.href = `/r/${options.room}/${id}`;
  showName(author, user);
  author.dir = excerpt.dir = "auto";
  time.textContent = formatDateTime(timeOf(id));
  const start = Math.max(0, (findAll(text, term)[0]?.[0] ?? 0) - LEAD);
  const shown = text.slice(start, start + EXCERPT).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, ""); // Drop half surrogate pairs at the cuts.
  excerpt.textContent = (start ? "…" : "") + shown + (text.length > start + EXCERPT ? "…" : "");
  highlight(excerpt, (text) => findAll(text, term));
  link.append(author, " ", time, excerpt);
  row.append(link);
  return row;
}
