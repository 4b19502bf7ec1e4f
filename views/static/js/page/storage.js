/** Stores texts in localStorage, or in memory if localStorage is blocked or full. */

/** @type {Map<string, string>} */
const memory = new Map();

/** Returns the text stored under a key, or "" if there is none. @param {string} key */
export function load(key) {
  try {
    return memory.get(key) ?? localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** Stores a text under a key. "" removes the key. @param {string} key @param {string} text */
export function save(key, text) {
  memory.delete(key);
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {
    memory.set(key, text);
  }
}

/** Reports whether a key with this prefix will be lost when the page closes. @param {string} prefix */
export const isOnlyInMemory = (prefix) => [...memory].some(([key, text]) => text && key.startsWith(prefix));

/** Returns the stored keys with this prefix. @param {string} prefix */
export function keysWithPrefix(prefix) {
  const keys = new Set(memory.keys());
  try {
    for (const key of Object.keys(localStorage)) keys.add(key);
  } catch {
    // Blocked.
  }
  return [...keys].filter((key) => key.startsWith(prefix) && load(key));
}
