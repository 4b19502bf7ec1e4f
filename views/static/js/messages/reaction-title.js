import { names } from "../people/names.js";
import { contentOf } from "./message.js";

/**
 * Sets the title of a reaction: the known names of its users, and the number of other users.
 * @param {HTMLElement} reaction
 * @param {Map<string, { id: string, name: string }>} users the known users by ID; the authors on the page are added to it
 * @param {{ id: string } | null} me
 */
export function showTitle(reaction, users, me) {
  for (const article of document.querySelectorAll("#messages article[data-user]")) {
    users.set(article.dataset.user, contentOf(article).user);
  }
  const ids = reaction.dataset.users ? reaction.dataset.users.split(" ") : [];
  const labels = ids.filter((id) => id === me?.id || users.has(id)).map((id) => (id === me?.id ? "you" : names.label(users.get(id))));
  const more = ids.length + Number(reaction.dataset.moreUsers) - labels.length;
  reaction.title = [...labels, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
