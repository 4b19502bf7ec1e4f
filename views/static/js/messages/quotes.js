import { textOfHTML } from "../page/trusted-html.js";
import { showName } from "../people/names.js";
import { firstLine, lineOf } from "./message.js";

const DELETED = "deleted message";

/**
 * Fills in quotes of messages that are not in the page, and updates quotes when the quoted
 * messages are edited or deleted.
 * @param {{ room: string, log: HTMLElement, connection: import("../net/connection.js").Connection }} options
 */
export function updateQuotes({ room, log, connection }) {
  /** @type {Map<string, { user: { id: string, name: string }, line: string }>} quoted messages, by entry ID */
  const messages = new Map();
  let isRunning = false;

  async function fillQuotes() {
    if (isRunning) return;
    isRunning = true;
    for (let quote; (quote = [...log.querySelectorAll(".quote:not([hidden], [data-attempted])")].at(-1)); ) {
      quote.dataset.attempted = "";
      const id = quotedID(quote);
      const [name, text] = quote.children;
      if (name.textContent) continue;
      try {
        if (!messages.has(id)) messages.set(id, await fetchMessage(id));
        const { user, line } = messages.get(id);
        showName(name, user);
        text.textContent = line;
      } catch {
        // The quote keeps its text, "an earlier message", and its link.
      }
    }
    isRunning = false;
  }

  async function fetchMessage(id) {
    const response = await fetch(`/r/${room}/messages?around=${id}&limit=1&html=true`);
    const entry = (await response.json()).entries.find((entry) => entry.id === id);
    const [file] = entry.files ?? [];
    return { user: entry.user, line: entry.deleted ? DELETED : firstLine(textOfHTML(entry.html ?? "")) || file?.alt || file?.name || "" };
  }

  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, of: id, html } of entries) {
      if (kind !== "edit" && kind !== "delete") continue;
      messages.delete(id);
      for (const quote of log.querySelectorAll(`.quote[href$="/${CSS.escape(id)}"]`)) {
        quote.children[1].textContent = kind === "edit" ? firstLine(textOfHTML(html)) : DELETED;
      }
    }
  });
  connection.addEventListener("state", ({ detail: state }) => {
    if (state !== "live") return;
    for (const quote of log.querySelectorAll("[data-attempted]")) delete quote.dataset.attempted; // so that failed requests are retried
    fillQuotes();
  });
  // Messages may have been edited or deleted while this module was loading.
  for (const quote of log.querySelectorAll(".quote:not([hidden])")) {
    const original = document.getElementById(`m${quotedID(quote)}`);
    if (original) quote.children[1].textContent = "deleted" in original.dataset ? DELETED : lineOf(original);
  }
  new MutationObserver(fillQuotes).observe(log, { childList: true });
  fillQuotes();
}

/** Returns the entry ID of the quoted message. @param {HTMLAnchorElement} quote */
const quotedID = (quote) => quote.pathname.split("/").pop();
