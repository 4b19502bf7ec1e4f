import { names } from "./names.js";

/** How a person is shown: by an initial in one of twelve colours, and by name. */

const HUES = 12; // views.User and message.css agree

/**
 * The colour of a user: FNV-1a of the ID, as views.User.Hue has it.
 * @param {string} id
 * @returns {number}
 */
export function hue(id) {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) sum = Math.imul(sum ^ byte, 0x01000193);
  return (sum >>> 0) % HUES;
}

/**
 * The first letter or digit of a name, else its first character.
 * @param {string} name
 * @returns {string}
 */
export function initial(name) {
  const [first = "?"] = name.trim();
  const [letter] = name.match(/[\p{L}\p{Nd}]/u) ?? [];
  return letter?.toUpperCase() ?? first;
}

/**
 * @param {Element} element
 * @param {{ id: string, name: string }} user
 */
export function show(element, user) {
  element.dataset.hue = String(hue(user.id));
  element.textContent = initial(user.name);
}

/**
 * Shows a name, told apart from those that look the same.
 * @param {HTMLElement} element
 * @param {{ id: string, name: string }} user
 */
export function call(element, { id, name }) {
  element.textContent = name;
  element.dataset.who = id;
  tag(element);
}

/** Shows the tag after a name, or none, as is right by now. @param {HTMLElement} element */
export function tag(element) {
  const found = names.tag({ id: element.dataset.who, name: element.textContent });
  if (found) element.dataset.tag = found;
  else delete element.dataset.tag;
}
