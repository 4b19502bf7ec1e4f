import * as avatar from "../people/avatar.js";
import { compare, timeOf } from "../net/id.js";
import { mark, mentions } from "./mark.js";
import { fill } from "../page/render.js";
import { clock, moment } from "../page/time.js";

const DELETED = "This message was deleted.";
const UNREADABLE = "This message can’t be displayed.";
const REFUSED = { edit: "Edit not saved.", delete: "Not deleted.", react: "Reaction not saved." };

/** @typedef {{ id: string, name: string }} User */
/** @typedef {{ id: string, n: number, kind: string, key?: string, of?: string, user?: User, text?: string, html?: string, reply_to?: string, edited?: string, deleted?: boolean, reactions?: Record<string, string[]>, emoji?: string, on?: boolean }} Entry */

/** Makes the article of one message from the page's template, which is the markup the server uses. */
export class MessageMaker {
  #template;
  #room;
  #me;
  /** @type {WeakMap<Element, string>} what people wrote, where it is known: the page has it rendered */
  #texts = new WeakMap();

  /**
   * @param {HTMLTemplateElement} template
   * @param {string} room
   * @param {User | null} me
   */
  constructor(template, room, me) {
    this.#template = template;
    this.#room = room;
    this.#me = me;
  }

  /** The article of a message that waits to be stored. @param {import("../offline/outbox.js").Item} item */
  waiting(item) {
    const article = this.#template.content.firstElementChild.cloneNode(true);
    article.dataset.key = item.key;
    article.dataset.at = String(item.at);
    article.ariaLive = "off"; // It is read out when it is stored, and once.
    this.#author(article, this.#me ?? { id: "", name: "" });
    this.time(article);
    this.fate(article, item);
    part(article, ".body").textContent = item.text;
    if (item.reply_to) this.#quote(article, item.reply_to);
    return article;
  }

  /** What was written, as it was written, if that is known. @param {Element} article */
  text(article) {
    return this.#texts.get(article);
  }

  /** Shows whether a waiting message failed, and why. */
  fate(article, { state, why = "" }) {
    article.dataset.state = state;
    part(article, ".fate span").textContent = state === "failed" ? `Not sent. ${why}` : "Waiting to be sent";
  }

  /**
   * The article of a stored message; a waiting one becomes it.
   * @param {Entry} entry
   * @param {Element} [article]
   */
  stored(entry, article = this.#template.content.firstElementChild.cloneNode(true)) {
    article.id = `m${entry.id}`;
    if (entry.n) article.dataset.n = String(entry.n);
    if (entry.key) article.dataset.key = entry.key;
    delete article.dataset.state;
    article.ariaLive = null;
    part(article, ".fate")?.remove();
    this.time(article);
    if (entry.kind === "unreadable") {
      article.dataset.unreadable = "";
      part(article, ".body").textContent = UNREADABLE;
      return article;
    }
    this.#author(article, entry.user);
    part(article, ".when").href = `/r/${this.#room}/${entry.id}`;
    if (entry.reply_to) this.#quote(article, entry.reply_to);
    if (entry.edited) article.dataset.edited = entry.edited;
    if (entry.deleted) return erase(article);
    this.#write(article, entry);
    for (const [emoji, users] of Object.entries(entry.reactions ?? {})) this.#chip(article, emoji, new Set(users));
    return article;
  }

  /**
   * Shows a message as if what I asked of it were stored, or why it is not.
   * @param {Element} article
   * @param {import("../offline/outbox.js").Item} item
   * @returns {() => void} takes it back
   */
  preview(article, { type, key, state, why, text, emoji, on }) {
    const body = part(article, ".body");
    const written = [...body.childNodes];
    const by = chipOf(article, emoji)?.dataset.by;
    article.dataset.pending = type;
    if (type === "edit") body.textContent = text;
    if (type === "react") this.#react(article, emoji, this.#me.id, on);
    const fate = state === "failed" && this.#template.content.querySelector(".fate").cloneNode(true);
    if (fate) {
      fate.dataset.key = key;
      fate.firstElementChild.textContent = `${REFUSED[type]} ${why}`;
      article.append(fate);
    }
    return () => {
      delete article.dataset.pending;
      if (fate) fate.remove();
      if (type === "edit") body.replaceChildren(...written);
      if (type === "react") this.#chip(article, emoji, new Set(by?.split(" ")));
    };
  }

  /** Applies an edit, delete or react entry to the message it is of. @param {Element} article @param {Entry} entry */
  amend(article, entry) {
    if ("deleted" in article.dataset) return;
    if (entry.kind === "delete") {
      this.#texts.delete(article);
      erase(article);
    } else if (entry.kind === "edit" && compare(entry.id, article.dataset.edited ?? "0-0") > 0) {
      article.dataset.edited = entry.id;
      this.#write(article, entry);
    } else if (entry.kind === "react") {
      this.#react(article, entry.emoji, entry.user.id, entry.on);
    }
  }

  #react(article, emoji, user, on) {
    const users = new Set(chipOf(article, emoji)?.dataset.by.split(" "));
    users[on ? "add" : "delete"](user);
    this.#chip(article, emoji, users);
  }

  #write(article, { html, text }) {
    const body = part(article, ".body");
    if (text !== undefined) this.#texts.set(article, text);
    if (html === undefined) body.textContent = text;
    else fill(body, html);
    this.mention(article);
  }

  /** Marks where a message names me. @param {Element} article */
  mention(article) {
    if (this.#me) mark(part(article, ".body"), (text) => mentions(text, this.#me.name), "mention");
  }

  /** Shows the time of a message in the reader's zone. */
  time(article) {
    const element = part(article, "time");
    const time = timeOfArticle(article);
    element.dateTime = new Date(time).toISOString();
    element.textContent = clock(time);
    element.title = moment(time);
  }

  #author(article, user) {
    article.dataset.user = user.id;
    article.toggleAttribute("data-mine", user.id === this.#me?.id);
    avatar.show(part(article, ".avatar"), user);
    part(article, ".author").textContent = user.name;
  }

  #quote(article, id) {
    const quote = part(article, ".quote");
    const original = document.getElementById(`m${id}`);
    const [name, text] = quote.children;
    quote.hidden = false;
    quote.href = `/r/${this.#room}/${id}`;
    name.textContent = original ? part(original, ".author").textContent : "";
    text.textContent = original ? firstLine(part(original, ".body").textContent) : "an earlier message";
  }

  #chip(article, emoji, users) {
    let chip = chipOf(article, emoji);
    if (!users.size) return chip?.remove();
    if (!chip) {
      chip = document.createElement("button");
      chip.type = "button";
      chip.className = "chip";
      chip.dataset.emoji = emoji;
      part(article, ".marks").append(chip);
    }
    chip.dataset.by = [...users].join(" ");
    chip.setAttribute("aria-pressed", String(users.has(this.#me?.id)));
    chip.textContent = `${emoji} ${users.size}`;
  }
}

/** When a message was written, in milliseconds. @param {Element} article */
export function timeOfArticle(article) {
  return article.id ? timeOf(article.id.slice(1)) : Number(article.dataset.at);
}

/** What decides how a message is grouped. @param {Element} article @returns {import("./grouping.js").Heading} */
export function headingOf(article) {
  return {
    user: article.dataset.user ?? "",
    name: part(article, ".author").textContent,
    time: timeOfArticle(article),
    reply: !part(article, ".quote").hidden,
    unreadable: "unreadable" in article.dataset,
  };
}

/** A part of a message, and not what somebody wrote there. @param {Element} article @param {string} selector */
export function part(article, selector) {
  return article.querySelector(`:scope > ${selector}, :scope > header ${selector}`);
}

function chipOf(article, emoji) {
  return [...part(article, ".marks").children].find((chip) => chip.dataset.emoji === emoji);
}

function erase(article) {
  article.dataset.deleted = "";
  delete article.dataset.edited;
  part(article, ".quote").hidden = true;
  part(article, ".marks").replaceChildren();
  part(article, ".body").textContent = DELETED;
  return article;
}

/** The first line of a text, cut where it is long. @param {string} text */
export function firstLine(text) {
  const [line] = text.trim().split("\n", 1);
  const chars = [...line]; // None is cut in two.
  return chars.length > 120 ? `${chars.slice(0, 120).join("")}…` : line;
}
