import { names } from "./names.js";

/** How a person is shown: an initial in one of twelve colours, and a name. */

const HUES = 12; // the same number as in views.User.Hue and base.css

/**
 * Returns the colour of a user: FNV-1a of the ID, as views.User.Hue computes it.
 * @param {string} id
 * @returns {number}
 */
export function hueOf(id) {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) sum = Math.imul(sum ^ byte, 0x01000193);
  return (sum >>> 0) % HUES;
}

/**
 * Returns the first letter or digit of a name, else its first character.
 * @param {string} name
 * @returns {string}
 */
export function initialOf(name) {
  const [first = "?"] = name.trim();
  const [letter] = name.match(/[\p{L}\p{Nd}]/u) ?? [];
  return letter?.toUpperCase() ?? first;
}

/**
 * @param {Element} element
 * @param {{ id: string, name: string }} user
 */
export function showAvatar(element, user) {
  element.dataset.hue = String(hueOf(user.id));
  element.textContent = initialOf(user.name);
}

/**
 * Shows a name, with a tag if it looks like another user's.
 * @param {HTMLElement} element
 * @param {{ id: string, name: string }} user
 */
export function showName(element, { id, name }) {
  element.textContent = name;
  element.dataset.userId = id;
  updateTag(element);
}

/** Adds or removes the tag of a name that is shown already. @param {HTMLElement} element */
export function updateTag(element) {
  const tag = names.tagOf({ id: element.dataset.userId, name: element.textContent });
  if (tag) element.dataset.tag = tag;
  else delete element.dataset.tag;
}
