import assert from "node:assert/strict";
import test from "node:test";
import { PendingChanges } from "./pending-changes.js";

/** Returns a fake message whose text is a list of words. Previewing a change appends the key of the change. */
function makeMessage() {
  const article = { id: "m1-0", dataset: {}, words: ["stored"] };
  const preview = ({ words }, { key }) => {
    words.push(key);
    return () => words.splice(words.lastIndexOf(key), 1);
  };
  const changes = new PendingChanges({ preview });
  const update = (...keys) => {
    for (const of of changes.update(keys.map((key) => ({ key, of: "1-0" })))) if (of === "1-0") changes.show(article);
    return article.words.join(" ");
  };
  return { article, changes, update };
}

test("changes are shown in order until they are discarded", () => {
  const { update } = makeMessage();
  assert.equal(update("a", "b"), "stored a b");
  assert.equal(update("b"), "stored b");
  assert.equal(update(), "stored");
});

test("a stored change stays until its entry arrives", () => {
  const { article, changes, update } = makeMessage();
  update("a");
  changes.markStored("a");
  assert.equal(update(), "stored a");
  changes.hide(article);
  article.words[0] = "changed";
  changes.remove("a");
  changes.show(article);
  assert.equal(update(), "changed");
});

test("pending changes stay on top of an entry from another user", () => {
  const { article, changes, update } = makeMessage();
  update("a");
  changes.hide(article);
  article.words.push("edited");
  changes.show(article);
  assert.equal(article.words.join(" "), "stored edited a");
});

test("a new message is not a pending change", () => {
  const { changes } = makeMessage();
  assert.deepEqual([...changes.update([{ key: "a", text: "hello" }])], []);
});

test("a deleted message shows no changes", () => {
  const { article, update } = makeMessage();
  article.dataset.deleted = "";
  assert.equal(update("a"), "stored");
});
