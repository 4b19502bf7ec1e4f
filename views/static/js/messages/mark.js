/**
 * Where a text has what is looked for, whatever the case: [start, end) pairs.
 * @param {string} text
 * @param {string} sought
 * @returns {[number, number][]}
 */
export function places(text, sought) {
  const found = [];
  const pattern = new RegExp(sought.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "giu");
  if (sought) for (const { index, 0: match } of text.matchAll(pattern)) found.push([index, index + match.length]);
  return found;
}

/**
 * Where a text names somebody, by @ and the whole name: no letter or digit stands before
 * or after it, of scripts that put spaces between words. The server counts by the same
 * rule, in unread.lua.
 * @param {string} text
 * @param {string} name
 */
export function mentions(text, name) {
  const inWord = (at) => /[0-9a-z\u00c0-\u1fff]/i.test(text.charAt(at));
  return name ? places(text, `@${name}`).filter(([start, end]) => !inWord(start - 1) && !inWord(end)) : [];
}

/**
 * Puts <mark> around what is found in an element's text, but in code. Only text nodes are
 * split: nothing becomes markup.
 * @param {Element} element
 * @param {(text: string) => [number, number][]} find
 * @param {string} [name] the marks' class
 */
export function mark(element, find, name = "") {
  if (!find(element.textContent).length) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("code, mark")) nodes.push(walker.currentNode);
  for (const node of nodes) {
    for (const [start, end] of find(node.data).reverse()) {
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, end);
      const found = document.createElement("mark");
      if (name) found.className = name;
      range.surroundContents(found);
    }
  }
}
