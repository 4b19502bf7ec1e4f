import { compareIDs, idOf } from "../net/id.js";
import { PendingChanges } from "./pending-changes.js";
import { lastMessageUpTo, nextMessage, previousMessage, removeRow, updateRow } from "./rows.js";

const MAX_MESSAGES = 300; // above this number, the page removes the messages farthest from the view
const KEPT_MESSAGES = 250; // how many messages the page then keeps, few enough that removals are rare
const MAX_AMENDMENTS = 500;

/**
 * Timeline holds the messages in the page: at most about 300, in stream order and without
 * duplicates. Every change runs in the scroll queue.
 *
 * Timeline is *attached* while its last message is the room's newest. Only then does it add new
 * messages. While detached, it only applies edits, deletions and reactions.
 *
 * Events: `unseen` when a message has arrived below the view, and `trimmed` when messages have
 * been removed at one end (detail: "older" or "newer").
 */
export class Timeline extends EventTarget {
  #log;
  #scroll;
  #renderer;
  /** @type {Map<string, Element>} articles of stored messages, by entry ID */
  #articles = new Map();
  /** @type {import("./message.js").Entry[]} the last edits, deletions and reactions received; a page of history may lack them */
  #amendments = [];
  #changes;
  /** @type {WeakMap<Element, () => string>} functions that return the text of a gap, by row */
  #gaps = new WeakMap();

  /** @param {{ log: Element, scroll: import("./scroll.js").Scroll, renderer: import("./message.js").MessageRenderer, attached: boolean }} options */
  constructor({ log, scroll, renderer, attached }) {
    super();
    this.#log = log;
    this.#scroll = scroll;
    this.#renderer = renderer;
    this.#changes = new PendingChanges(renderer);
    this.attached = attached;
    for (const article of log.querySelectorAll("article")) {
      this.#articles.set(article.id.slice(1), article);
      renderer.adopt(article);
    }
    this.updateRows();
  }

  get attached() {
    return !("detached" in this.#log.dataset);
  }

  set attached(attached) {
    this.#log.toggleAttribute("data-detached", !attached);
  }

  /** @returns {boolean} whether the first message is the first one that the room ever had, or the room has none */
  get begins() {
    return "begins" in this.#log.dataset;
  }

  set begins(begins) {
    this.#log.toggleAttribute("data-begins", begins);
    updateRow(this.#log.querySelector("article[id]"));
  }

  /** @returns {string | undefined} ID of the first message */
  get oldest() {
    return this.#log.querySelector("article[id]")?.id.slice(1);
  }

  /** @returns {number | undefined} number of the first message in the room */
  get firstNumber() {
    const article = this.#log.querySelector("article[id]");
    return article ? Number(article.dataset.n) : undefined;
  }

  /** @returns {string | undefined} ID of the last stored message */
  get newest() {
    return this.#lastStored()?.id.slice(1);
  }

  /** Adds or applies new entries. @param {import("./message.js").Entry[]} entries */
  append(entries) {
    return this.#change((anchor) => {
      let isNew = false;
      for (const entry of entries) {
        if (entry.of) {
          if (this.#amendments.push(entry) > MAX_AMENDMENTS) this.#amendments.shift();
          this.#apply(entry);
        } else {
          isNew = !this.attached || this.#insert(entry) || isNew;
        }
      }
      this.#trim(anchor);
      if (isNew && !(this.attached && this.#scroll.isNearEnd)) this.dispatchEvent(new Event("unseen"));
    }, entries);
  }

  /**
   * Inserts a page of history.
   * @param {{ entries: import("./message.js").Entry[], as_of: string, lines?: [string, string][] }} page as_of: cursor up to which it
   *   includes edits, deletions and reactions; lines: texts about changes (see lineOf in changes.js), with the IDs of their entries
   * @param {{ attach?: boolean, replace?: boolean, updateEdges?: () => void }} options attach: whether entries include the
   *   room's newest message; replace: whether to remove all other messages; updateEdges: called in the same change
   */
  insertPage({ entries, as_of: asOf, lines = [] }, { attach = false, replace = false, updateEdges }) {
    const insert = (anchor) => {
      updateEdges?.();
      if (replace) this.#removeStored();
      for (const entry of entries) this.#insert(entry);
      for (const [text, id] of lines) this.#placeLine(text, id);
      for (const amendment of this.#amendments) if (compareIDs(amendment.id, idOf(asOf)) > 0) this.#apply(amendment);
      if (attach || replace) this.attached = attach;
      this.#trim(anchor);
    };
    return this.#changeSilently(insert, () => replace, entries);
  }

  /**
   * Calls read for the newest stored messages after the last gap, without their pending changes. Returns the
   * results, and whether the first of these messages begins the room. Reads none while detached.
   * @template T @param {number} limit @param {(article: Element) => T} read @returns {Promise<{ results: T[], begins: boolean }>}
   */
  async readNewest(limit, read) {
    let results = [];
    let begins = false;
    await this.#change(() => {
      if (!this.attached) return;
      const rows = [...this.#log.children];
      const afterGap = rows.slice(rows.findLastIndex((row) => row.matches(".gap")) + 1);
      results = afterGap.filter((row) => row.matches("article[id]")).slice(-limit).map((article) => {
        this.#changes.hide(article);
        const value = read(article);
        this.#changes.show(article);
        return value;
      });
      begins = this.begins && results.length === this.#articles.size;
    });
    return { results, begins };
  }

  /** Removes all stored messages. */
  clear() {
    return this.#change(() => {
      this.#removeStored();
      this.attached = true;
    });
  }

  /** Adds a row after the newest message to mark a gap. @param {() => string} describe returns its text */
  addGap(describe) {
    const row = Object.assign(document.createElement("p"), { className: "gap", textContent: describe() });
    this.#gaps.set(row, describe);
    return this.#change(() => this.#log.insertBefore(row, this.#firstWaiting()));
  }

  /** Inserts a line about a change of the room, in stream order. @param {string} text @param {string} id of the change's entry */
  addLine(text, id) {
    return this.#change(() => this.attached && this.#placeLine(text, id));
  }

  /** Shows waiting messages at the end, and pending changes on their messages. @param {import("../offline/outbox.js").Item[]} items */
  showOutbox(items) {
    return this.#change(() => {
      for (const id of this.#changes.update(items)) if (this.#articles.has(id)) this.#changes.show(this.#articles.get(id));
      const rows = new Map([...this.#log.querySelectorAll("article[data-state]")].map((row) => [row.dataset.key, row]));
      for (const item of items.filter(({ of }) => !of)) {
        const row = rows.get(item.key);
        rows.delete(item.key);
        if (row) this.#renderer.showDelivery(row, item);
        else if (!this.has(item.key)) updateRow(this.#log.appendChild(this.#renderer.renderWaiting(item)));
      }
      for (const row of rows.values()) if (row.dataset.state !== "stored") removeRow(row);
    }, items);
  }

  /**
   * Marks a waiting message or pending change as stored. It stays until its entry arrives.
   * @param {string} key @param {boolean} hasArrived whether the entry has already arrived
   */
  markStored(key, hasArrived) {
    return this.#change(() => {
      const row = this.#waitingRow(key);
      if (row && hasArrived) removeRow(row);
      else if (row) row.dataset.state = "stored";
      if (!hasArrived) this.#changes.markStored(key);
    });
  }

  /** Reports whether a stored message with this key is in the page. @param {string} key */
  has(key) {
    return this.#log.querySelector(`article[id][data-key="${CSS.escape(key)}"]`) !== null;
  }

  /** Updates all day lines and headings. */
  updateRows() {
    for (const article of this.#articles.values()) updateRow(article);
  }

  /** Updates everything that depends on the day, the time zone or the locale. */
  updateTimes() {
    return this.#changeSilently(() => {
      for (const row of this.#log.querySelectorAll(".gap")) row.textContent = this.#gaps.get(row)();
      for (const article of this.#log.querySelectorAll("article")) {
        this.#renderer.showTime(article);
        updateRow(article);
      }
    });
  }

  /** Runs a change that renders these entries or items. */
  #change(change, messages = [], stayAtEnd = () => this.attached) {
    return this.#scroll.change(change, { stayAtEnd, prepare: () => this.#renderer.prepare(messages) });
  }

  /** Runs a change that screen readers do not announce, because it adds nothing new. */
  #changeSilently(change, stayAtEnd, entries) {
    this.#log.setAttribute("aria-busy", "true");
    return this.#change(change, entries, stayAtEnd).finally(() => this.#log.removeAttribute("aria-busy"));
  }

  #removeStored() {
    this.#articles.clear();
    this.#amendments = [];
    for (const row of [...this.#log.children]) if ((row.dataset.state ?? "stored") === "stored") row.remove();
  }

  /** Inserts a message in stream order, and reports whether it is new. */
  #insert(entry) {
    if (!["message", "unreadable"].includes(entry.kind) || this.#articles.has(entry.id)) return false;
    const waiting = entry.key && this.#waitingRow(entry.key);
    waiting?.remove();
    const article = this.#renderer.renderStored(entry, waiting);
    this.#place(article, entry.id);
    this.#articles.set(entry.id, article);
    this.#changes.show(article);
    updateRow(article);
    updateRow(nextMessage(article));
    return true;
  }

  #placeLine(text, id) {
    const row = Object.assign(document.createElement("p"), { className: "change", textContent: text });
    this.#place(row, id);
    while (row.nextElementSibling?.matches(".change")) row.nextElementSibling.after(row); // earlier lines come first
  }

  /** Inserts a row after the last message whose ID is not greater than `id`. */
  #place(row, id) {
    const last = this.#lastStored();
    let before = last;
    while (before && compareIDs(before.id.slice(1), id) > 0) before = previousMessage(before);
    if (before === last) this.#log.insertBefore(row, this.#firstWaiting());
    else if (before) before.after(row);
    else this.#log.prepend(row);
  }

  #apply(entry) {
    const article = this.#articles.get(entry.of);
    this.#changes.remove(entry.key);
    if (!article) return this.#insertDeleted(entry);
    this.#changes.hide(article);
    this.#renderer.amend(article, entry);
    this.#changes.show(article);
  }

  /** Inserts a deleted message that the page never received. */
  #insertDeleted({ kind, of: id, user }) {
    const { oldest } = this;
    if (kind === "delete" && this.attached && oldest && compareIDs(id, oldest) > 0) this.#insert({ id, kind: "message", user, deleted: true });
  }

  /** Removes the messages farthest from the view. @param {Element | null} anchor of Scroll.change */
  #trim(anchor) {
    if (this.#articles.size <= MAX_MESSAGES) return;
    const rows = [...this.#log.querySelectorAll("article[id]")];
    const anchorIndex = rows.indexOf(anchor?.closest("article"));
    const lastStart = rows.length - KEPT_MESSAGES;
    const start = anchorIndex < 0 ? lastStart : Math.min(Math.max(0, anchorIndex - KEPT_MESSAGES / 2), lastStart);
    this.#remove("older", rows.slice(0, start));
    this.#remove("newer", rows.slice(start + KEPT_MESSAGES));
  }

  #remove(end, rows) {
    if (!rows.length) return;
    for (const row of rows) {
      this.#articles.delete(row.id.slice(1));
      removeRow(row);
    }
    const isOlder = end === "older";
    const kept = isOlder ? this.#log.querySelector("article[id]") : this.#lastStored();
    const beyond = isOlder ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
    for (const line of this.#log.querySelectorAll(".change")) if (kept.compareDocumentPosition(line) & beyond) line.remove(); // history.js fetches them again with those messages
    if (!isOlder) this.attached = false;
    this.dispatchEvent(new CustomEvent("trimmed", { detail: end }));
  }

  #lastStored() {
    const waiting = this.#firstWaiting();
    return waiting ? previousMessage(waiting) : lastMessageUpTo(this.#log.lastElementChild);
  }

  #firstWaiting() {
    return this.#log.querySelector("article[data-state]");
  }

  #waitingRow(key) {
    return this.#log.querySelector(`article[data-state][data-key="${CSS.escape(key)}"]`) ?? undefined;
  }
}
