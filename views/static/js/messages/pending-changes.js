/**
 * PendingChanges shows the user's edits, deletions and reactions before their entries arrive, or
 * why they were refused. To apply an entry to a message with pending changes, hide the changes,
 * apply the entry, and show the changes again.
 */
export class PendingChanges {
  #renderer;
  /** @type {import("../offline/outbox.js").Item[]} */
  #items = [];
  /** @type {Set<string>} keys of items that are stored, but whose entries have not arrived */
  #stored = new Set();
  /** @type {Map<Element, (() => void)[]>} undo functions of the changes shown */
  #shown = new Map();

  /** @param {import("./message.js").MessageRenderer} renderer */
  constructor(renderer) {
    this.#renderer = renderer;
  }

  /** Takes over the outbox's items, and returns the IDs of the messages to show again. @param {import("../offline/outbox.js").Item[]} items @returns {Set<string>} */
  update(items) {
    const kept = this.#items.filter(({ key }) => this.#stored.has(key) && !items.some((item) => item.key === key));
    const before = this.#items;
    this.#items = [...kept, ...items.filter(({ of }) => of)];
    return new Set([...before, ...this.#items].map(({ of }) => of));
  }

  /** Keeps an item that is stored until its entry arrives. @param {string} key */
  markStored(key) {
    if (this.#items.some((item) => item.key === key)) this.#stored.add(key);
  }

  /** Removes an item whose entry has arrived. @param {string | undefined} key */
  remove(key) {
    this.#stored.delete(key);
    this.#items = this.#items.filter((item) => item.key !== key);
  }

  /** Shows a message as it is stored. @param {Element} article */
  hide(article) {
    for (const undo of this.#shown.get(article)?.reverse() ?? []) undo();
    this.#shown.delete(article);
  }

  /** Shows a message with its pending changes. @param {Element} article */
  show(article) {
    this.hide(article);
    const items = this.#items.filter(({ of }) => article.id === `m${of}`);
    if (items.length && !("deleted" in article.dataset)) this.#shown.set(article, items.map((item) => this.#renderer.preview(article, item)));
  }
}
