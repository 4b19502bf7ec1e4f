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
  if (text) keys?.add(key);
  else keys?.delete(key);
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {
    memory.set(key, text);
  }
}

/** Reports whether a key with this prefix would be lost if the page closed. @param {string} prefix */
export const isOnlyInMemory = (prefix) => [...memory].some(([key, text]) => text && key.startsWith(prefix));

/** Returns the value stored under a key as JSON, or undefined if there is none, or it is not JSON. @param {string} key */
export function loadJSON(key) {
  try {
    return JSON.parse(load(key));
  } catch {
    return undefined;
  }
}

const PREFIX = "burble:";

/** @type {Set<string>} the keys of `listed` that start with PREFIX, and those of memory; some may have been removed */
let keys;
/** @type {Storage | null | undefined} the localStorage whose keys have been listed */
let listed;

/** Returns the stored keys with this prefix. Lists localStorage only once, because listing is slow if other pages of this host have stored a lot. @param {string} prefix starts with "burble:" */
export function keysWithPrefix(prefix) {
  let storage = null;
  try {
    storage = localStorage;
    if (storage !== listed) keys = new Set([...Object.keys(storage).filter((key) => key.startsWith(PREFIX)), ...memory.keys()]);
  } catch {
    keys = new Set(memory.keys()); // localStorage is blocked
  }
  listed = storage;
  return [...keys].filter((key) => key.startsWith(prefix) && load(key));
}

const forget = () => (listed = undefined);
globalThis.addEventListener?.("storage", ({ key }) => (key ? keys?.add(key) : forget()));
globalThis.addEventListener?.("visibilitychange", forget); // a page that was suspended may have missed events
