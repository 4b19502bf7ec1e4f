import { names } from "../people/names.js";

const SAME = { æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", ł: "l", þ: "th", ς: "σ", "’": "'", "‘": "'", ʼ: "'", "–": "-" };

/**
 * Folds a name or text like package fold on the server: it ignores case, accents, width, and
 * differences between spaces or apostrophes.
 * @param {string} text
 */
export const fold = (text) =>
  text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\ufe0f\p{Cf}]/gu, "")
    .toUpperCase()
    .toLowerCase()
    .replace(/\s+|./gu, (char) => SAME[char] ?? (char.trim() || " "));

/** Matches a letter, digit or mark of a script with spaces between words. */
export const WORD = String.raw`(?![\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Bopo}\p{sc=Hang}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\p{sc=Tibt}ー])[\p{L}\p{M}\p{N}]`;
const NO_MENTION = new RegExp(String.raw`${WORD}$|\.\p{L}[^\s@]*/$`, "u"); // text before an @ that mentions nobody: a word, or a URL without a scheme
const CONTINUES = new RegExp(String.raw`^(${WORD}|[/._@-][\p{L}\p{N}])`, "u"); // text after a name that is only part of a longer word
const MAX_NAME = 80; // UTF-16 units, after decomposition
const MAX_MENTIONS = 50; // occurrences of @ in one text

/**
 * Returns the mentions of a user in a text, as [start, end) pairs. A mention is @ and a name. If several
 * names on this page match, the longest one is the mention. markup.Mentions applies the same rule for
 * unread counts.
 * @param {string} text
 * @param {string} name
 * @param {Iterable<string>} [others] the names of other users
 * @returns {[number, number][]}
 */
export function findMentions(text, name, others = names.all) {
  const found = [];
  const wanted = fold(name);
  let known;
  let places = 0;
  for (const { index } of text.matchAll(/[@＠﹫]/gu)) {
    if (!wanted || NO_MENTION.test(text.slice(Math.max(0, index - MAX_NAME), index))) continue;
    if (++places > MAX_MENTIONS) break;
    known ??= new Set([wanted, ...[...others].map(fold)]);
    let end = Math.min(text.length, index + MAX_NAME);
    while (end > index && (!known.has(fold(text.slice(index + 1, end))) || CONTINUES.test(text.slice(end, end + 3)))) end--;
    if (fold(text.slice(index + 1, end)) === wanted) found.push([index, end]);
  }
  return found;
}

/**
 * Wraps the mentions of a user in a rendered message in <mark>. It only splits text nodes, and parses
 * no text as markup.
 * @param {Element} element
 * @param {string} name
 */
export function highlightMentions(element, name) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("code, a, bdi, mark")) nodes.push(walker.currentNode);
  for (const node of nodes) {
    for (const [start, end] of findMentions(node.data, name).reverse()) {
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, end);
      const mark = document.createElement("mark");
      mark.className = "mention";
      mark.translate = false; // it contains a name
      range.surroundContents(mark);
    }
  }
}
