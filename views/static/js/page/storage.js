/** Stores strings in localStorage, or in memory if localStorage is blocked or full. */

/** @type {Map<string, string>} */
const memory = new Map();

/** Returns the string stored under a key, or "" if there is none. @param {string} key */
export function load(key) {
  try {
    return memory.get(key) ?? localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** Stores a string under a key, or removes the key if the string is empty. @param {string} key @param {string} text */
export function save(key, text) {
  memory.delete(key);
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {
    memory.set(key, text);
  }
}

/** Reports whether a key with this prefix would be lost if the page closed. @param {string} prefix */
export const isOnlyInMemory = (prefix) => [...memory].some(([key, text]) => text && key.startsWith(prefix));

/** Returns the stored keys with this prefix. @param {string} prefix */
export function keysWithPrefix(prefix) {
  const keys = new Set(memory.keys());
  try {
    for (const key of Object.keys(localStorage)) keys.add(key);
  } catch {
    // localStorage is blocked.
  }
  return [...keys].filter((key) => key.startsWith(prefix) && load(key));
}
