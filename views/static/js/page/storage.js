/** localStorage. What it does not take, blocked or full, is kept as long as the page. */

/** @type {Map<string, string>} */
const memory = new Map();

/** What is kept under a name, "" for nothing. @param {string} name */
export function recall(name) {
  try {
    return memory.get(name) ?? localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/** Keeps a text under a name; "" is nothing. @param {string} name @param {string} text */
export function keep(name, text) {
  memory.delete(name);
  try {
    if (text) localStorage.setItem(name, text);
    else localStorage.removeItem(name);
  } catch {
    memory.set(name, text);
  }
}

/** Whether something under a name that begins so goes with the page. @param {string} beginning */
export const passing = (beginning) => [...memory].some(([name, text]) => text && name.startsWith(beginning));

/** The names, of those under which something is kept, that begin so. @param {string} beginning */
export function names(beginning) {
  const all = new Set(memory.keys());
  try {
    for (const name of Object.keys(localStorage)) all.add(name);
  } catch {
    // Blocked.
  }
  return [...all].filter((name) => name.startsWith(beginning) && recall(name));
}
