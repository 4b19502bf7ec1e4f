/**
 * PendingChanges shows the user's edits, deletions and reactions until their entries arrive, and
 * the reason if the server refuses one. To apply an entry to a message with pending changes, hide
 * the changes, apply the entry, and show the changes again.
 */
export class PendingChanges {
  #renderer;
  /** @type {import("../offline/outbox.js").Item[]} */
  #items = [];
  /** @type {Set<string>} keys of stored items whose entries have not arrived */
  #stored = new Set();
  /** @type {Map<Element, (() => void)[]>} functions that hide the changes shown, by article */
  #shown = new Map();

  /** @param {import("./message.js").MessageRenderer} renderer */
  constructor(renderer) {
    this.#renderer = renderer;
  }

  /** Replaces the items with those in the outbox, and returns the IDs of messages that may need an update. @param {import("../offline/outbox.js").Item[]} items @returns {Set<string>} */
  update(items) {
    const kept = this.#items.filter(({ key }) => this.#stored.has(key) && !items.some((item) => item.key === key));
    const before = this.#items;
    this.#items = [...kept, ...items.filter(({ of }) => of)];
    return new Set([...before, ...this.#items].map(({ of }) => of));
  }

  /** Keeps an item that has left the outbox until its entry arrives. @param {string} key */
  markStored(key) {
    if (this.#items.some((item) => item.key === key)) this.#stored.add(key);
  }

  /** Removes the item with this key. Call it when the entry arrives. @param {string | undefined} key */
  remove(key) {
    this.#stored.delete(key);
    this.#items = this.#items.filter((item) => item.key !== key);
  }

  /** Hides the pending changes of a message. @param {Element} article */
  hide(article) {
    for (const removePreview of this.#shown.get(article)?.reverse() ?? []) removePreview();
    this.#shown.delete(article);
  }

  /** Shows the pending changes of a message. @param {Element} article */
  show(article) {
    this.hide(article);
    const items = this.#items.filter(({ of }) => article.id === `m${of}`);
    if (items.length && !("deleted" in article.dataset)) this.#shown.set(article, items.map((item) => this.#renderer.preview(article, item)));
  }
}
