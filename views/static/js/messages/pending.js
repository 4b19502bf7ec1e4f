/**
 * Pending shows on stored messages what I asked of them (an edit, a deletion, a
 * reaction) as if it were done, or why it was refused, until its entry comes.
 * What comes meanwhile goes underneath: lift, change, lay.
 */
export class Pending {
  #maker;
  /** @type {import("../offline/outbox.js").Item[]} */
  #items = [];
  /** @type {Set<string>} keys that are stored, whose entries have not come */
  #stored = new Set();
  /** @type {Map<Element, (() => void)[]>} how to take back what is shown */
  #shown = new Map();

  /** @param {import("./message.js").MessageMaker} maker */
  constructor(maker) {
    this.#maker = maker;
  }

  /** Takes what waits now; tells of which messages. @param {import("../offline/outbox.js").Item[]} items @returns {Set<string>} */
  take(items) {
    const kept = this.#items.filter(({ key }) => this.#stored.has(key) && !items.some((item) => item.key === key));
    const before = this.#items;
    this.#items = [...kept, ...items.filter(({ of }) => of)];
    return new Set([...before, ...this.#items].map(({ of }) => of));
  }

  /** One is stored; its entry is still to come. @param {string} key */
  stored(key) {
    if (this.#items.some((item) => item.key === key)) this.#stored.add(key);
  }

  /** The entry of one has come. @param {string | undefined} key */
  came(key) {
    this.#stored.delete(key);
    this.#items = this.#items.filter((item) => item.key !== key);
  }

  /** Shows a message as it is stored. @param {Element} article */
  lift(article) {
    for (const undo of this.#shown.get(article)?.reverse() ?? []) undo();
    this.#shown.delete(article);
  }

  /** Shows a message as I asked for. @param {Element} article */
  lay(article) {
    this.lift(article);
    const items = this.#items.filter(({ of }) => article.id === `m${of}`);
    if (items.length && !("deleted" in article.dataset)) this.#shown.set(article, items.map((item) => this.#maker.preview(article, item)));
  }
}
