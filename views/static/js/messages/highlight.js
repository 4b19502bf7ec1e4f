/**
 * Returns where a text contains a term, in any case, as [start, end) pairs.
 * @param {string} text
 * @param {string} term
 * @returns {[number, number][]}
 */
export function findAll(text, term) {
  const found = [];
  const pattern = new RegExp(term.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "giu");
  if (term) for (const { index, 0: match } of text.matchAll(pattern)) found.push([index, index + match.length]);
  return found;
}

/**
 * Returns where a text mentions a user: @ and the whole name, with no letter or digit
 * directly before or after it. Only scripts that put spaces between words count as letters.
 * unread.lua has the same rule.
 * @param {string} text
 * @param {string} name
 */
export function findMentions(text, name) {
  const isWordChar = (at) => /[0-9a-z\u00c0-\u1fff]/i.test(text.charAt(at));
  return name ? findAll(text, `@${name}`).filter(([start, end]) => !isWordChar(start - 1) && !isWordChar(end)) : [];
}

/**
 * Wraps what is found in an element's text, except in code, in <mark>. It only splits
 * text nodes: no text is parsed as markup.
 * @param {Element} element
 * @param {(text: string) => [number, number][]} find
 * @param {string} [className] of the marks
 */
export function highlight(element, find, className = "") {
  if (!find(element.textContent).length) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("code, mark")) nodes.push(walker.currentNode);
  for (const node of nodes) {
    for (const [start, end] of find(node.data).reverse()) {
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, end);
      const mark = document.createElement("mark");
      if (className) mark.className = className;
      range.surroundContents(mark);
    }
  }
}
