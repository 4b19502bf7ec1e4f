import { names } from "../people/names.js";

/**
 * Sets the title of a reaction: the names of those users whose names are known, and the number of the others.
 * @param {HTMLElement} reaction
 * @param {Map<string, { id: string, name: string }>} users by ID; the authors on the page are added
 * @param {{ id: string } | null} me
 */
export function showTitle(reaction, users, me) {
  for (const article of document.querySelectorAll("#messages article[data-user]")) {
    const id = article.dataset.user;
    users.set(id, { id, name: article.querySelector(".author").textContent });
  }
  const ids = reaction.dataset.users ? reaction.dataset.users.split(" ") : [];
  const known = ids.filter((id) => id === me?.id || users.has(id)).map((id) => (id === me?.id ? "you" : names.label(users.get(id))));
  const more = ids.length + Number(reaction.dataset.more) - known.length;
  reaction.title = [...known, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
