import * as avatar from "../people/avatar.js";
import { timeOf } from "../net/id.js";
import { composing } from "../page/keys.js";
import { lines } from "../net/lines.js";
import { mark, places } from "./mark.js";
import { date, moment } from "../page/time.js";

const SHOWN = 200; // characters of a message
const panel = document.getElementById("search");
const [form, status, list, more] = [...panel.children].slice(1);
let running = new AbortController();
let options;
let next = {};

/**
 * Opens the search of a room. What was found last is still there.
 * @param {{ room: string, go: (id: string) => void }} given
 */
export function open(given) {
  options = given;
  panel.showModal();
  form.elements.q.select();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const [, from = "", rest = form.elements.q.value] = /^from:(\S+)\s*(.*)$/i.exec(form.elements.q.value.trim()) ?? [];
  list.replaceChildren();
  search({ q: rest.trim(), from });
});
form.elements.close.addEventListener("click", () => panel.close());
more.addEventListener("click", () => search(next));
panel.addEventListener("close", () => running.abort());
panel.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || composing(event)) return;
  event.preventDefault(); // The field would be emptied first.
  panel.close();
});
panel.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  panel.close();
  options.go(link.pathname.split("/").pop());
});

/** Shows what is found as it comes. @param {{ q: string, from: string, before?: string }} asked */
async function search(asked) {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  more.hidden = true;
  status.textContent = "Searching…";
  try {
    const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value));
    const response = await ask(`/r/${options.room}/search?${query}`, signal);
    for await (const found of lines(response.body)) {
      if (found.type === "error") throw refusal(found);
      if (found.done) return finish(asked, found);
      list.append(row(found, asked.q));
    }
    throw new Error("The search was interrupted. Try again.");
  } catch (error) {
    if (signal.aborted) return;
    status.textContent = error instanceof TypeError ? "No connection. Try again in a moment." : error.message;
  }
}

async function ask(path, signal) {
  for (let tries = 0; ; tries++) {
    const response = await fetch(path, { signal });
    if (response.ok) return response;
    // The search before this one may not have ended yet on the server.
    if (response.status !== 429 || tries === 3) throw refusal((await response.json()).error);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}

/** What a refusal means for who searches. @param {{ code: string, message: string }} error */
function refusal({ code, message }) {
  return new Error(code === "unavailable" ? "Chat storage isn’t responding. Try again in a moment." : message);
}

function finish(asked, { older }) {
  const { length } = list.children;
  const found = length === 0 ? "Nothing found" : length === 1 ? "1 message" : `${length} messages`;
  status.textContent = older ? `${found}; searched back to ${date(timeOf(older))}.` : `${found} in the whole room.`;
  next = { ...asked, before: older };
  more.hidden = !older;
}

function row({ id, user, text }, sought) {
  const [made, link, author, time, words] = ["li", "a", "b", "time", "p"].map((name) => document.createElement(name));
  link.href = `/r/${options.room}/${id}`;
  avatar.call(author, user);
  author.dir = words.dir = "auto";
  time.textContent = moment(timeOf(id));
  const start = Math.max(0, (places(text, sought)[0]?.[0] ?? 0) - 60);
  const shown = text.slice(start, start + SHOWN).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, ""); // no halves of characters
  words.textContent = (start ? "…" : "") + shown + (text.length > start + SHOWN ? "…" : "");
  mark(words, (text) => places(text, sought));
  link.append(author, " ", time, words);
  made.append(link);
  return made;
}
