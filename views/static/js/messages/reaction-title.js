import { names } from "../people/names.js";
import { writtenOf } from "./message.js";

/**
 * Lists the users of a reaction in its title: their names where known, and the number of others.
 * @param {HTMLElement} reaction
 * @param {Map<string, { id: string, name: string }>} users whose names are known, by ID; adds the authors in the page
 * @param {{ id: string } | null} me
 */
export function showTitle(reaction, users, me) {
  for (const article of document.querySelectorAll("#messages article[data-user]")) {
    users.set(article.dataset.user, writtenOf(article).user);
  }
  const ids = reaction.dataset.users ? reaction.dataset.users.split(" ") : [];
  const labels = ids.filter((id) => id === me?.id || users.has(id)).map((id) => (id === me?.id ? "you" : names.label(users.get(id))));
  const more = ids.length + Number(reaction.dataset.moreUsers) - labels.length;
  reaction.title = [...labels, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
