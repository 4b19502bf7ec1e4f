import assert from "node:assert/strict";
import test from "node:test";
import { findLinks } from "./links.js";

const urls = (text) => findLinks(text).map(({ url }) => url);

test("findLinks finds the links in a text", () => {
  assert.deepEqual(urls("see https://example.org/a?b=c#d, and http://example.net."), ["https://example.org/a?b=c#d", "http://example.net"]);
  assert.deepEqual(urls("(https://example.org/a_(b)) [https://a.test/] “https://b.test/”"), ["https://example.org/a_(b)", "https://a.test/", "https://b.test/"]);
  assert.deepEqual(urls("[text](https://example.org/a) <https://example.org/b> **https://example.org/c**"), ["https://example.org/a", "https://example.org/b", "https://example.org/c"]);
  assert.deepEqual(urls("看https://bücher.example/straße，好"), ["https://bücher.example/straße，好"]);
  assert.deepEqual(urls("xhttps://example.org example.org ftp://example.org mailto:a@example.org"), []);
});

test("findLinks ignores code", () => {
  assert.deepEqual(urls("`https://a.test/` ``https://b.test/ ` `` https://c.test/"), ["https://c.test/"]);
  assert.deepEqual(urls("```\nhttps://a.test/\n```\nhttps://b.test/\n~~~ js\nhttps://c.test/"), ["https://b.test/"]);
  assert.deepEqual(urls("    https://a.test/\n\thttps://b.test/\nhttps://c.test/"), ["https://c.test/"]);
  assert.deepEqual(urls("a single ` https://a.test/"), ["https://a.test/"]);
});

test("findLinks returns the position after each link", () => {
  const text = "`code` https://a.test/. Then https://b.test/c";
  for (const { url, end } of findLinks(text)) assert.equal(text.slice(end - url.length, end), url);
});

test("findLinks is fast for any text", () => {
  const start = performance.now();
  for (const part of ["`", "```\n", "https://", "https://a.test/)))", "(", "` ``", "    ", "~~~"]) urls(part.repeat(4_000 / part.length));
  assert.ok(performance.now() - start < 2_000);
});
