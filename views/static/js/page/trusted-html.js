/**
 * The only module that turns HTML into DOM. Pass it only the `html` of entries, which the server
 * has rendered from Markdown and sanitized. Set all other text with textContent.
 *
 * The Trusted Types policy allows only one script URL: the service worker's.
 */
const rules = { createHTML: (html) => html, createScriptURL: () => "/sw.js" };
const policy = globalThis.trustedTypes?.createPolicy("burble", rules) ?? rules;

/**
 * Replaces the content of an element.
 * @param {Element} element
 * @param {string} html from the server
 */
export function setHTML(element, html) {
  element.innerHTML = policy.createHTML(html);
}

/** Returns the text of sanitized HTML. @param {string} html from the server */
export function textOfHTML(html) {
  const element = document.createElement("div");
  setHTML(element, html);
  return element.textContent;
}

/** Returns the URL of the service worker. */
export function workerURL() {
  return policy.createScriptURL("");
}
