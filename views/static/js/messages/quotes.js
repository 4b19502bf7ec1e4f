import * as avatar from "../people/avatar.js";
import { firstLine } from "./message.js";
import { words } from "../page/render.js";

/**
 * Quotes fills in what a message answers when that is not in the page, and keeps what
 * is shown of it as it is: changed, or deleted.
 * @param {{ room: string, log: HTMLElement, connection: import("../net/connection.js").Connection }} options
 */
export function quotes({ room, log, connection }) {
  /** @type {Map<string, { user: { id: string, name: string }, line: string }>} */
  const known = new Map();
  let running = false;

  const show = (quote, { user, line }) => {
    avatar.call(quote.children[0], user);
    quote.children[1].textContent = line;
  };
  const of = (id) => log.querySelectorAll(`.quote[href$="/${CSS.escape(id)}"]`);

  async function look() {
    if (running) return;
    running = true;
    for (let quote; (quote = [...log.querySelectorAll(".quote:not([hidden], [data-asked])")].at(-1)); ) {
      quote.dataset.asked = "";
      const id = quote.pathname.split("/").pop();
      if (quote.firstElementChild.textContent) continue;
      try {
        if (!known.has(id)) known.set(id, await fetched(id));
        show(quote, known.get(id));
      } catch {
        // It stays "an earlier message", and leads there.
      }
    }
    running = false;
  }

  async function fetched(id) {
    const response = await fetch(`/r/${room}/messages?around=${id}&limit=1&html=true`);
    const entry = (await response.json()).entries.find((one) => one.id === id);
    return { user: entry.user, line: entry.deleted ? "deleted message" : firstLine(words(entry.html)) };
  }

  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, of: id, html } of entries) {
      if (kind !== "edit" && kind !== "delete") continue;
      known.delete(id);
      for (const quote of of(id)) quote.children[1].textContent = kind === "edit" ? firstLine(words(html)) : "deleted message";
    }
  });
  connection.addEventListener("state", ({ detail }) => {
    if (detail !== "live") return;
    for (const quote of log.querySelectorAll("[data-asked]")) delete quote.dataset.asked; // Those asked for in vain.
    look();
  });
  new MutationObserver(look).observe(log, { childList: true });
  look();
}
