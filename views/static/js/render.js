/**
 * The one place where HTML becomes DOM: the `html` of entries, which the server
 * rendered from Markdown and sanitised. Nothing else may come through here;
 * all other text goes in by textContent.
 */
const policy = globalThis.trustedTypes?.createPolicy("burble", { createHTML: (html) => html }) ?? {
  createHTML: (html) => html,
};

/**
 * Replaces what an element holds by the server's rendering of a text.
 * @param {Element} element
 * @param {string} html as it came from the server
 */
export function fill(element, html) {
  element.innerHTML = policy.createHTML(html);
}
