/**
 * The one place where HTML becomes DOM: the `html` of entries, which the server
 * rendered from Markdown and sanitised. Nothing else may come through here;
 * all other text goes in by textContent. The one script address is the service worker's.
 */
const rules = { createHTML: (html) => html, createScriptURL: () => "/sw.js" };
const policy = globalThis.trustedTypes?.createPolicy("burble", rules) ?? rules;

/**
 * Replaces what an element holds by the server's rendering of a text.
 * @param {Element} element
 * @param {string} html as it came from the server
 */
export function fill(element, html) {
  element.innerHTML = policy.createHTML(html);
}

/** What the server's rendering of a text says. @param {string} html */
export function words(html) {
  const element = document.createElement("div");
  fill(element, html);
  return element.textContent;
}

/** The service worker's address, as its registration takes it. */
export function worker() {
  return policy.createScriptURL("");
}
