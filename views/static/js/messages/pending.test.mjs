import assert from "node:assert/strict";
import test from "node:test";
import { Pending } from "./pending.js";

/** A message that is a list of words; what is asked for stands at its end. */
function begin() {
  const article = { id: "m1-0", dataset: {}, words: ["stored"] };
  const preview = ({ words }, { key }) => {
    words.push(key);
    return () => words.splice(words.lastIndexOf(key), 1);
  };
  const pending = new Pending({ preview });
  const show = (...items) => {
    for (const of of pending.take(items.map((key) => ({ key, of: "1-0" })))) if (of === "1-0") pending.lay(article);
    return article.words.join(" ");
  };
  return { article, pending, show };
}

test("what waits is shown in order, and taken back when it is discarded", () => {
  const { show } = begin();
  assert.equal(show("a", "b"), "stored a b");
  assert.equal(show("b"), "stored b");
  assert.equal(show(), "stored");
});

test("what is stored stays until its entry comes", () => {
  const { article, pending, show } = begin();
  show("a");
  pending.stored("a");
  assert.equal(show(), "stored a");
  pending.lift(article);
  article.words[0] = "changed";
  pending.came("a");
  pending.lay(article);
  assert.equal(show(), "changed");
});

test("what comes meanwhile goes underneath", () => {
  const { article, pending, show } = begin();
  show("a");
  pending.lift(article);
  article.words.push("news");
  pending.lay(article);
  assert.equal(article.words.join(" "), "stored news a");
});

test("messages to be sent are no change of any", () => {
  const { pending } = begin();
  assert.deepEqual([...pending.take([{ key: "a", text: "hello" }])], []);
});

test("nothing is shown on what was deleted", () => {
  const { article, show } = begin();
  article.dataset.deleted = "";
  assert.equal(show("a"), "stored");
});
