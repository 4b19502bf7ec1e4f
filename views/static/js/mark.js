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
 * Puts <mark> around what is looked for in an element's text, but in code. Only text
 * nodes are split: nothing becomes markup.
 * @param {Element} element
 * @param {string} sought
 * @param {string} [name] the marks' class
 */
export function mark(element, sought, name = "") {
  if (!element.textContent.toLowerCase().includes(sought.toLowerCase())) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("code, mark")) nodes.push(walker.currentNode);
  for (const node of nodes) {
    for (const [start, end] of places(node.data, sought).reverse()) {
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, end);
      const found = document.createElement("mark");
      if (name) found.className = name;
      range.surroundContents(found);
    }
  }
}
