import { names } from "./names.js";

/** Shows users: an avatar, which is an initial in one of twelve colours, and a name. */

const HUES = 12; // the same number as in message.go and base.css

/**
 * Returns the avatar colour of a user, from 0 to 11. It is the FNV-1a hash of the ID, as in views.User.Hue.
 * @param {string} id
 * @returns {number}
 */
export function hueOf(id) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % HUES;
}

/**
 * Returns the first letter or digit of a name, or else its first character.
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
  element.translate = false;
}

/**
 * Shows the name of a user, with a tag if it looks like the name of another user.
 * @param {HTMLElement} element
 * @param {{ id: string, name: string }} user
 */
export function showName(element, { id, name }) {
  element.textContent = name;
  element.translate = false;
  element.dataset.userId = id;
  updateTag(element);
}

/** Updates the tag of a name that is already shown. @param {HTMLElement} element */
export function updateTag(element) {
  const tag = names.tagOf({ id: element.dataset.userId, name: element.textContent });
  if (tag) element.dataset.tag = tag;
  else delete element.dataset.tag;
}
