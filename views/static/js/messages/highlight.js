/**
 * Returns the matches of a term in text, ignoring case, as [start, end) pairs.
 * @param {string} text
 * @param {string} term
 * @returns {[number, number][]}
 */
export function findAll(text, term) {
  const matches = [];
  const pattern = new RegExp(term.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "giu");
  if (term) for (const { index, 0: match } of text.matchAll(pattern)) matches.push([index, index + match.length]);
  return matches;
}

/**
 * Returns the mentions of a user in text. A mention is @ and the whole name, with no letter or
 * digit directly before or after it. Only characters of scripts that separate words with spaces
 * count as letters. unread.go in package streams applies the same rule.
 * @param {string} text
 * @param {string} name
 */
export function findMentions(text, name) {
  const isWordChar = (index) => /[0-9a-z\u00c0-\u1fff]/i.test(text.charAt(index));
  return name ? findAll(text, `@${name}`).filter(([start, end]) => !isWordChar(start - 1) && !isWordChar(end)) : [];
}

/**
 * Wraps matches in the text of an element in <mark>, except in code. It only splits text nodes,
 * and parses no text as markup.
 * @param {Element} element
 * @param {(text: string) => [number, number][]} find
 * @param {string} [className] of the <mark> elements
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
