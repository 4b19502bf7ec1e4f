import { compareIDs, timeOf } from "../net/id.js";
import { formatDateTime, formatTime } from "../page/time.js";
import { setHTML, textOfHTML } from "../page/trusted-html.js";
import { showAvatar } from "../people/names.js";

const DELETED = "This message was deleted.";
const UNREADABLE = "This message can’t be displayed.";
const REFUSED = { edit: "Edit not saved.", delete: "Not deleted.", react: "Reaction not saved." };

/** @typedef {{ id: string, name: string }} User */
/**
 * An entry in the JSON of the protocol: `n` is its position in the room, `of` the ID of the message that it amends, and
 * `edited` the ID of the last edit.
 * @typedef {{ id: string, n: number, kind: string, key?: string, of?: string, user?: User, text?: string, html?: string, reply_to?: string, edited?: string, deleted?: boolean, reactions?: Record<string, string[]>, more_users?: Record<string, number>, emoji?: string, on?: boolean, files?: import("./files.js").File[], preview?: object }} Entry
 */

/** @type {WeakMap<Element, { user?: User, text?: string, html?: string, files?: object[], preview?: object }>} by article */
const contents = new WeakMap();

/**
 * Returns a message's original author, Markdown and HTML. Do not read these from the DOM, which the browser may have
 * translated. The Markdown is missing if the server rendered the message.
 * @param {Element} article
 */
export const contentOf = (article) => contents.get(article) ?? {};

/**
 * MessageRenderer creates and updates the article of a message. It clones a template that has the
 * same markup as the messages the server renders.
 */
export class MessageRenderer {
  #template;
  #room;
  #me;
  #files; // the module files.js, once a message has files or a preview

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

  /** Loads the module that shows files and previews if one of these messages has some. Call it before rendering them. @param {(Entry | import("../offline/outbox.js").Item)[]} messages */
  async prepare(messages) {
    if (messages.some(({ files, attached, preview }) => files ?? attached ?? preview)) this.#files ??= await import("./files.js").catch(() => {});
  }

  /** Completes an article that the server rendered: message.html omits what is empty or redundant. @param {Element} article */
  adopt(article) {
    const blank = this.#clone();
    const [avatar, header] = article.children;
    const [author, timestamp] = header.children;
    const { user } = article.dataset;
    if (user) article.dataset.user = document.body.dataset.authors.split(" ")[user];
    avatar.translate = false;
    author.className = "author";
    timestamp.className = "timestamp";
    timestamp.replaceChildren(findPart(blank, "time"));
    for (const part of [".body", ".quote"]) if (!findPart(article, part)) header.after(findPart(blank, part));
    if (!findPart(article, ".reactions")) article.append(findPart(blank, ".reactions"));
    contents.set(article, { user: { id: article.dataset.user ?? "", name: author.textContent }, html: findPart(article, ".body").innerHTML });
    this.prepare([{ files: findPart(article, ".files, :scope > .link-card") }]);
    this.showTime(article);
    this.highlightMentions(article);
  }

  /** Returns an article for a message that is waiting to be sent. @param {import("../offline/outbox.js").Item} item */
  renderWaiting(item) {
    const article = this.#clone();
    article.dataset.key = item.key;
    article.dataset.writtenAt = String(item.at);
    article.ariaLive = "off"; // screen readers announce the message once, when it is stored
    this.#showAuthor(article, this.#me ?? { id: "", name: "" });
    this.showTime(article);
    this.showDelivery(article, item);
    this.#showBody(article, { text: item.text, files: item.attached, preview: item.preview });
    if (item.reply_to) this.#showQuote(article, item.reply_to);
    return article;
  }

  /**
   * Returns an article for a stored message. If the message was waiting, pass its article, which is reused.
   * @param {Entry} entry
   * @param {Element} [article]
   */
  renderStored(entry, article = this.#clone()) {
    article.id = `m${entry.id}`;
    if (entry.n) article.dataset.n = String(entry.n);
    if (entry.key) article.dataset.key = entry.key;
    delete article.dataset.state;
    article.ariaLive = null;
    findPart(article, ".delivery")?.remove();
    this.showTime(article);
    if (entry.kind === "unreadable") {
      article.dataset.unreadable = "";
      findPart(article, ".body").textContent = UNREADABLE;
      return article;
    }
    this.#showAuthor(article, entry.user);
    findPart(article, ".timestamp").href = `/r/${this.#room}/${entry.id}`;
    if (entry.reply_to) this.#showQuote(article, entry.reply_to);
    if (entry.edited) article.dataset.edited = entry.edited;
    if (entry.deleted) return showDeleted(article);
    this.#showBody(article, entry);
    for (const [emoji, users] of Object.entries(entry.reactions ?? {})) this.#showReaction(article, emoji, users, entry.more_users?.[emoji]);
    return article;
  }

  /** Applies an edit, delete or react entry to a message. @param {Element} article @param {Entry} entry */
  amend(article, entry) {
    if ("deleted" in article.dataset) return;
    if (entry.kind === "delete") {
      showDeleted(article);
    } else if (entry.kind === "edit" && compareIDs(entry.id, article.dataset.edited ?? "0-0") > 0) {
      article.dataset.edited = entry.id;
      this.#showBody(article, entry);
    } else if (entry.kind === "react") {
      this.#react(article, entry.emoji, entry.user.id, entry.on);
    }
  }

  /**
   * Shows a pending change by the user on a message, and the reason if the server refused it.
   * @param {Element} article
   * @param {import("../offline/outbox.js").Item} item
   * @returns {() => void} a function that removes the preview
   */
  preview(article, { type, key, state, why, text, emoji, on }) {
    const body = findPart(article, ".body");
    const bodyNodes = [...body.childNodes];
    const before = reactorsOf(article, emoji);
    article.dataset.pending = type;
    if (type === "edit") body.textContent = text;
    if (type === "react") this.#react(article, emoji, this.#me.id, on);
    const refusal = state === "failed" && this.#template.content.querySelector(".delivery").cloneNode(true);
    if (refusal) {
      refusal.dataset.key = key;
      refusal.firstElementChild.textContent = `${REFUSED[type]} ${why}`;
      article.append(refusal);
    }
    return () => {
      delete article.dataset.pending;
      if (refusal) refusal.remove();
      if (type === "edit") body.replaceChildren(...bodyNodes);
      if (type === "react") this.#showReaction(article, emoji, ...before);
    };
  }

  /** Shows whether a message is waiting or has failed, and why. @param {Element} article @param {import("../offline/outbox.js").Item} item */
  showDelivery(article, { state, why = "" }) {
    article.dataset.state = state;
    findPart(article, ".delivery span").textContent = state === "failed" ? `Not sent. ${why}` : "Waiting to send";
  }

  /** Shows the time of a message in the reader's time zone. @param {Element} article */
  showTime(article) {
    const element = findPart(article, "time");
    const time = timeOfArticle(article);
    element.dateTime = new Date(time).toISOString();
    element.textContent = formatTime(time);
    element.title = formatDateTime(time);
  }

  /** @param {Element} article */
  highlightMentions(article) {
    const body = findPart(article, ".body");
    if (this.#me && /[@＠]/.test(body.textContent)) import("./highlight.js").then((module) => module.highlightMentions(body, this.#me.name), () => {});
  }

  #clone() {
    return this.#template.content.firstElementChild.cloneNode(true);
  }

  #showBody(article, { html, text, files, preview }) {
    const body = findPart(article, ".body");
    Object.assign(contentOf(article), { text, html });
    if (html === undefined) body.textContent = text;
    else setHTML(body, html);
    for (const part of body.querySelectorAll("code, bdi")) part.translate = false; // like Message.Body
    this.highlightMentions(article);
    if (!(files ?? preview)) return;
    Object.assign(contentOf(article), { files, preview });
    this.#files?.showExtras(article);
  }

  #showAuthor(article, user) {
    article.dataset.user = user.id;
    article.toggleAttribute("data-mine", user.id === this.#me?.id);
    contents.set(article, { user });
    showAvatar(findPart(article, "[data-hue]"), user);
    findPart(article, ".author").textContent = user.name;
  }

  #showQuote(article, id) {
    const quote = findPart(article, ".quote");
    const original = document.getElementById(`m${id}`);
    const [name, text] = quote.children;
    quote.hidden = false;
    quote.href = `/r/${this.#room}/${id}`;
    name.textContent = (original && contentOf(original).user?.name) ?? "";
    text.textContent = original ? lineOf(original) : "an earlier message";
  }

  #react(article, emoji, user, on) {
    let [listed, moreUsers] = reactorsOf(article, emoji);
    const users = listed.filter((id) => id !== user);
    if (on && (listed.length < 50 || user === this.#me?.id)) users.push(user);
    else if (on) moreUsers++; // like the server, the page lists only 50 users
    else if (moreUsers && users.length === listed.length) moreUsers--;
    this.#showReaction(article, emoji, users, moreUsers);
  }

  #showReaction(article, emoji, users, moreUsers = 0) {
    let button = reactionOf(article, emoji);
    if (users.length + moreUsers < 1) return button?.remove();
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = "reaction";
      button.dataset.emoji = emoji;
      findPart(article, ".reactions").append(button);
    }
    button.dataset.users = users.join(" ");
    button.dataset.moreUsers = moreUsers;
    button.ariaPressed = String(users.includes(this.#me?.id));
    button.textContent = `${emoji} ${users.length + moreUsers}`;
  }
}

/** Returns the time at which a message was sent, in milliseconds. @param {Element} article */
export function timeOfArticle(article) {
  return article.id ? timeOf(article.id.slice(1)) : Number(article.dataset.writtenAt);
}

/** Returns the properties that decide whether a message continues the previous one. @param {Element} article @returns {import("./rows.js").Grouping} */
export function groupingOf(article) {
  return {
    user: article.dataset.user ?? "",
    name: contentOf(article).user?.name,
    time: timeOfArticle(article),
    reply: !findPart(article, ".quote").hidden,
    unreadable: "unreadable" in article.dataset,
  };
}

/** Returns a part of an article that comes from the template, not from the text of the message. @param {Element} article @param {string} selector */
export function findPart(article, selector) {
  return article.querySelector(`:scope > ${selector}, :scope > header ${selector}`);
}

/** Returns an emoji without variation selectors, which do not make it a different emoji. */
const baseEmoji = (emoji) => emoji?.replace(/[\ufe0e\ufe0f]/g, "");

/** Returns the button of a reaction. @param {Element} article @param {string} emoji */
export function reactionOf(article, emoji) {
  return [...findPart(article, ".reactions").children].find((button) => baseEmoji(button.dataset.emoji) === baseEmoji(emoji));
}

/** Returns the IDs of a reaction's listed users, and the number of users who are not listed. @param {Element} article @param {string} emoji @returns {[string[], number]} */
function reactorsOf(article, emoji) {
  const { users, moreUsers = 0 } = reactionOf(article, emoji)?.dataset ?? {};
  return [users ? users.split(" ") : [], Number(moreUsers)];
}

function showDeleted(article) {
  contents.set(article, { user: contentOf(article).user });
  article.dataset.deleted = "";
  delete article.dataset.edited;
  findPart(article, ".quote").hidden = true;
  findPart(article, ".reactions").replaceChildren();
  findPart(article, ".files")?.remove();
  findPart(article, ".body").textContent = DELETED;
  return article;
}

/** Returns the first line of a message, or the description or name of its first file if it has no text. @param {Element} article */
export function lineOf(article) {
  const { html } = contentOf(article);
  const file = article.querySelector(".files :is(img, .file)");
  return firstLine(html === undefined ? findPart(article, ".body").textContent : textOfHTML(html)) || (file?.alt ?? file?.title ?? "");
}

/** Returns the first line of text, truncated to 120 characters. @param {string} text */
export function firstLine(text) {
  const [line] = text.trim().split("\n", 1);
  const chars = [...line]; // code points, to avoid splitting surrogate pairs
  return chars.length > 120 ? `${chars.slice(0, 120).join("")}…` : line;
}
