/**
 * The only place where HTML becomes DOM: the `html` of entries, which the server rendered
 * from Markdown and sanitised. Pass it nothing else; all other text is set by textContent.
 * The policy's only script URL is that of the service worker.
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

/** Returns the text of the server's HTML. @param {string} html */
export function textOfHTML(html) {
  const element = document.createElement("div");
  setHTML(element, html);
  return element.textContent;
}

/** Returns the URL to register the service worker with. */
export function workerURL() {
  return policy.createScriptURL("");
}
