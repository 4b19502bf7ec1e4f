/** Shows users: an avatar, which is an initial in one of twelve colors, and a name, with a tag if it looks like another. */

const HUES = 12; // the same number as in message.go and base.css

/** @type {Map<string, string> | undefined} maps characters to the lower-case texts that they look like */
let lookalikes;
let loading;

/** Loads the table of characters that look like others, on first use. */
export const loadLookalikes = () =>
  (loading ??= import("./confusables.js").then(
    ({ default: table }) => (lookalikes = new Map(table.split("\n").flatMap((line) => [...line.replace(/.* /, "")].map((char) => [char, line.replace(/ .*/, "")])))),
    () => (loading = undefined),
  ));

// Matches names in which letters of one script could pass for those of another.
const MIXED_SCRIPTS = /(?=.*\p{sc=Latn}).*[\p{sc=Cyrl}\p{sc=Grek}\p{sc=Armn}\p{sc=Cher}\p{sc=Lisu}\p{sc=Copt}\p{sc=Dsrt}\p{sc=Ital}\p{sc=Cari}\p{sc=Lyci}\p{sc=Cans}]/u;

/**
 * Returns the skeleton of a name: two names look the same if their skeletons are equal (Unicode's
 * UTS 39). A suffix that imitates a tag is ignored.
 * @param {string} name
 */
export function skeletonOf(name) {
  const plain = name.normalize("NFKD").replace(/[\p{Z}\p{P}\p{S}]+[\da-f]{3,}$/iu, "").replace(/[\p{M}\p{Z}\p{C}\p{P}]/gu, "");
  const latin = plain.replace(/[^\0-\x7f]/gu, (char) => lookalikes?.get(char) ?? char).toLowerCase();
  return latin.replace(/[i1|]/g, "l").replaceAll("0", "o").replaceAll("rn", "m").replaceAll("vv", "w");
}

/**
 * Names gives users whose names look the same a short tag: the beginning of their user
 * ID. It always tags a name that mixes scripts, and the name "you".
 *
 * Event: `clash` when a user is added whose name looks like another user's.
 */
export class Names extends EventTarget {
  /** @type {Map<string, Set<string>>} user IDs by skeleton */
  #users = new Map();
  /** @type {Map<string, string>} skeletons by name */
  #skeletons = new Map();
  /** @type {{ id: string, name: string }[]} the users who were added */
  #added = [];

  /** @returns {Iterable<string>} all names that have been on the page */
  get all() {
    return this.#skeletons.keys();
  }

  /** Adds a user whose name is on the page. @param {{ id: string, name: string }} user */
  add({ id, name }) {
    const users = this.#usersLike(name);
    if (!id || users.has(id)) return;
    users.add(id);
    this.#added.push({ id, name });
    if (!lookalikes && /[^\0-\u036f]/.test(name.normalize("NFKD"))) this.#loadLookalikes();
    if (users.size > 1) this.dispatchEvent(new Event("clash"));
  }

  /** Returns the name of a user with its tag, if it has one, as plain text. @param {{ id: string, name: string }} user */
  label(user) {
    const tag = this.tagOf(user);
    return tag ? `${user.name} ·${tag}` : user.name;
  }

  /** Returns the tag to show after the name of a user, or "". @param {{ id: string, name: string }} user */
  tagOf({ id, name }) {
    this.add({ id, name });
    const users = [...this.#usersLike(name)];
    if (users.length < 2 && !MIXED_SCRIPTS.test(name) && skeletonOf(name) !== "you") return "";
    let length = 3;
    while (length < id.length && users.some((other) => other !== id && other.startsWith(id.slice(0, length)))) length++;
    return id.slice(0, length);
  }

  #usersLike(name) {
    if (!this.#skeletons.has(name)) this.#skeletons.set(name, skeletonOf(name));
    const skeleton = this.#skeletons.get(name);
    if (!this.#users.has(skeleton)) this.#users.set(skeleton, new Set());
    return this.#users.get(skeleton);
  }

  /** Compares all names again, with the table of characters that look like others. */
  async #loadLookalikes() {
    await loadLookalikes();
    const all = this.#added.splice(0);
    this.#users.clear();
    this.#skeletons.clear();
    for (const user of all) this.add(user);
    this.dispatchEvent(new Event("clash"));
  }
}

/** All names on this page. */
export const names = new Names();

/**
 * Returns the avatar color of a user, from 0 to 11. It is the FNV-1a hash of the ID, as in views.User.Hue.
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
