import { compare, idOf } from "../net/id.js";
import { Pending } from "./pending.js";
import { decorate, drop, lastAt, previous, next } from "./rows.js";

const MOST = 300; // messages in the page; beyond, those far from what is in view go
const SPARE = 50; // how many more go then, so that it is seldom done
const AMENDMENTS = 500;

/**
 * Timeline holds the messages in the page: in the room's order, none twice, at most
 * about 300. All its changes run in the scroll queue.
 *
 * It is *attached* while its last message is the room's newest; what arrives is then
 * added. Detached, it only amends what it shows.
 *
 * Events: `unseen` (something arrived below the view), `trimmed` (detail "older" or
 * "newer": messages were dropped at that end).
 */
export class Timeline extends EventTarget {
  #log;
  #scroll;
  #maker;
  /** @type {Map<string, Element>} stored messages shown, by entry ID */
  #articles = new Map();
  /** @type {import("./message.js").Entry[]} the newest amendments that came live */
  #amendments = [];
  #pending;

  /**
   * @param {{ log: Element, scroll: import("./scroll.js").Scroll, maker: import("./message.js").MessageMaker, attached: boolean }} options
   */
  constructor({ log, scroll, maker, attached }) {
    super();
    this.#log = log;
    this.#scroll = scroll;
    this.#maker = maker;
    this.#pending = new Pending(maker);
    this.attached = attached;
    for (const article of log.querySelectorAll("article")) {
      this.#articles.set(article.id.slice(1), article);
      maker.time(article);
      maker.mention(article);
    }
    for (const article of this.#articles.values()) decorate(article);
  }

  get attached() {
    return !("detached" in this.#log.dataset);
  }

  set attached(attached) {
    this.#log.toggleAttribute("data-detached", !attached);
  }

  /** @returns {string | undefined} entry ID of the first message shown */
  get oldest() {
    return this.#log.querySelector("article[id]")?.id.slice(1);
  }

  /** @returns {string | undefined} entry ID of the last message shown */
  get newest() {
    return this.#last()?.id.slice(1);
  }

  /** Takes entries of the live read. @param {import("./message.js").Entry[]} entries */
  append(entries) {
    return this.#change((held) => {
      let added = false;
      for (const entry of entries) {
        if (entry.of) this.#amend(entry);
        else if (this.attached) added = this.#insert(entry) || added;
        else added = true;
      }
      this.#trim(held);
      if (added && !(this.attached && this.#scroll.nearEnd)) this.dispatchEvent(new Event("unseen"));
    });
  }

  /**
   * Takes a page of history, folded as of a cursor.
   * @param {import("./message.js").Entry[]} entries
   * @param {string} asOf
   * @param {{ attach?: boolean, replace?: boolean, edges?: () => void }} options attach: the page reaches the room's
   *   end; replace: it stands in place of all that is shown; edges: changes what stands beside the messages with them
   */
  page(entries, asOf, { attach = false, replace = false, edges } = {}) {
    const change = (held) => {
      edges?.();
      if (replace) this.#clear();
      for (const entry of entries) this.#insert(entry);
      for (const amendment of this.#amendments) {
        if (compare(amendment.id, idOf(asOf)) > 0) this.#apply(amendment);
      }
      if (attach || replace) this.attached = attach;
      this.#trim(held);
    };
    this.#log.setAttribute("aria-busy", "true"); // What is old is not announced.
    return this.#scroll.change(change, { pin: () => replace }).finally(() => this.#log.removeAttribute("aria-busy"));
  }

  /**
   * Reads the newest messages as they are stored; none when the page shows another place.
   * @template Read
   * @param {number} most
   * @param {(article: Element) => Read} read
   * @returns {Promise<Read[]>}
   */
  async read(most, read) {
    let entries = [];
    await this.#change(() => {
      if (!this.attached) return;
      const rows = [...this.#log.children];
      const unbroken = rows.slice(rows.findLastIndex((row) => row.matches(".gap")) + 1);
      entries = unbroken.filter((row) => row.matches("article[id]")).slice(-most).map((article) => {
        this.#pending.lift(article);
        const entry = read(article);
        this.#pending.lay(article);
        return entry;
      });
    });
    return entries;
  }

  /** Forgets every stored message; what comes next is the room's newest. */
  clear() {
    return this.#change(() => {
      this.#clear();
      this.attached = true;
    });
  }

  /** Puts a row among the messages, after the newest, that tells of a gap. @param {string} text */
  gap(text) {
    return this.#change(() => {
      const row = document.createElement("p");
      row.className = "gap";
      row.textContent = text;
      this.#log.insertBefore(row, this.#firstWaiting());
    });
  }

  /** Shows the messages that wait, and on others what waits to change them. @param {import("../offline/outbox.js").Item[]} all */
  waiting(all) {
    return this.#change(() => {
      for (const of of this.#pending.take(all)) if (this.#articles.has(of)) this.#pending.lay(this.#articles.get(of));
      const items = all.filter(({ of }) => !of);
      const gone = new Map();
      for (const row of this.#log.querySelectorAll("article[data-state]")) gone.set(row.dataset.key, row);
      for (const item of items) {
        const row = gone.get(item.key);
        gone.delete(item.key);
        if (row) this.#maker.fate(row, item);
        else if (!this.has(item.key)) decorate(this.#log.appendChild(this.#maker.waiting(item)));
      }
      for (const row of gone.values()) if (row.dataset.state !== "stored") drop(row);
    });
  }

  /**
   * A waiting message is stored: its mark goes; its entry, when it comes, takes its place.
   * @param {string} key
   * @param {boolean} passed whether its entry has come already
   */
  stored(key, passed) {
    return this.#change(() => {
      const row = this.#waitingRow(key);
      if (row && passed) drop(row);
      else if (row) row.dataset.state = "stored";
      if (!passed) this.#pending.stored(key);
    });
  }

  /** Whether a stored message with this key is shown. @param {string} key */
  has(key) {
    return this.#log.querySelector(`article[id][data-key="${CSS.escape(key)}"]`) !== null;
  }

  /** Names the days anew, when one has begun since. */
  relabel() {
    for (const article of this.#articles.values()) decorate(article);
  }

  #change(change) {
    return this.#scroll.change(change, { pin: () => this.attached });
  }

  #clear() {
    this.#articles.clear();
    this.#amendments = [];
    for (const row of [...this.#log.children]) if (!["waiting", "failed"].includes(row.dataset.state)) row.remove();
  }

  /** Inserts a message in its place; tells whether it was new. */
  #insert(entry) {
    if (!["message", "unreadable"].includes(entry.kind) || this.#articles.has(entry.id)) return false;
    const waiting = entry.key && this.#waitingRow(entry.key);
    waiting?.remove();
    const article = this.#maker.stored(entry, waiting);
    const last = this.#last();
    let before = last;
    while (before && compare(before.id.slice(1), entry.id) > 0) before = previous(before);
    if (before === last) this.#log.insertBefore(article, this.#firstWaiting());
    else if (before) before.after(article);
    else this.#log.prepend(article);
    this.#articles.set(entry.id, article);
    this.#pending.lay(article);
    decorate(article);
    decorate(next(article));
    return true;
  }

  #amend(entry) {
    if (this.#amendments.push(entry) > AMENDMENTS) this.#amendments.shift();
    this.#apply(entry);
  }

  #apply(entry) {
    const article = this.#articles.get(entry.of);
    this.#pending.came(entry.key);
    if (!article) return this.#bury(entry);
    this.#pending.lift(article);
    this.#maker.amend(article, entry);
    this.#pending.lay(article);
  }

  /** Shows that a message was deleted of which nothing came but that: it was away before this page was back. */
  #bury({ kind, of: id, user }) {
    const { oldest } = this;
    if (kind === "delete" && this.attached && oldest && compare(id, oldest) > 0) this.#insert({ id, kind: "message", user, deleted: true });
  }

  /** Keeps the messages around those in view. @param {Element | null} held as Scroll.change has it */
  #trim(held) {
    if (this.#articles.size <= MOST) return;
    const rows = [...this.#log.querySelectorAll("article[id]")];
    const at = rows.indexOf(held?.closest("article"));
    const most = MOST - SPARE;
    const last = rows.length - most;
    const start = at < 0 ? last : Math.min(Math.max(0, at - most / 2), last);
    this.#drop("older", rows.slice(0, start));
    this.#drop("newer", rows.slice(start + most));
  }

  #drop(end, rows) {
    if (!rows.length) return;
    for (const row of rows) {
      this.#articles.delete(row.id.slice(1));
      drop(row);
    }
    if (end === "newer") this.attached = false;
    this.dispatchEvent(new CustomEvent("trimmed", { detail: end }));
  }

  #last() {
    const waiting = this.#firstWaiting();
    return waiting ? previous(waiting) : lastAt(this.#log.lastElementChild);
  }

  #firstWaiting() {
    return this.#log.querySelector("article[data-state]");
  }

  #waitingRow(key) {
    return this.#log.querySelector(`article[data-state][data-key="${CSS.escape(key)}"]`) ?? undefined;
  }
}
