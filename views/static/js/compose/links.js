const OPENING = { ")": "(", "]": "[", "}": "{", "）": "（", "」": "「", "』": "『", "】": "【", "》": "《", "〉": "〈", "］": "［" };

/** Removes punctuation of the surrounding sentence from the end of a URL, and a bracket that was opened before the URL. */
function trimURL(url) {
  for (;;) {
    const last = url.at(-1);
    const count = (char) => url.split(char).length;
    const isOutside = OPENING[last] ? count(OPENING[last]) < count(last) : /[?!.,:;*_~'\\|。，、！？：；…’”»]/.test(last ?? "");
    if (!isOutside) return url;
    url = url.slice(0, -1);
  }
}

/**
 * Returns the http and https links in a message, in order, except those in code. These rules are simpler than the server's.
 * If the results differ, the message is sent without a preview.
 * @param {string} text
 * @returns {{ url: string, end: number }[]} end is the position after the link
 */
export function findLinks(text) {
  const blank = (code) => "<".repeat(code.length); // a character that no URL contains
  const prose = [/^[ >]*(```+|~~~+)[^]*?(?:^[ >]*\1|(?![^]))/gm, /^(?: {4}|\t).*$/gm, /(?<!`)(`+)(?!`)[^]*?(?<!`)\1(?!`)/g].reduce((rest, code) => rest.replace(code, blank), text);
  return [...prose.matchAll(/(?<![a-z\d])https?:\/\/[^\s<>"`]+/gi)].map(({ 0: match, index }) => {
    const url = trimURL(match);
    return { url, end: index + url.length };
  });
}
