import { stylesheet } from "../messages/file-format.js";
import { makeCard } from "../messages/card.js";
import { isComposing } from "./composer.js";
import { make } from "../page/make.js";
import { findLinks } from "./links.js";

const PAUSE = 500; // milliseconds without typing after which a link at the end of the text counts as complete
const MAX_LINKS = 3; // links of a message that are tried; the first one with a card is shown

await stylesheet;

/** @type {LinkPreview | undefined} */
let preview;

/**
 * Starts to show the card of the first link in the composer.
 * @param {{ room: string, composer: import("./composer.js").Composer }} options
 */
export function previewLinks(options) {
  preview ??= new LinkPreview(options);
}

/** A LinkPreview shows a card above the composer, and adds its token to the message that is sent. */
class LinkPreview {
  #room;
  #composer;
  #form = document.getElementById("composer");
  #field = this.#form.elements.text;
  #mustAsk = document.body.dataset.previews === "ask";
  #box = make("div", { className: "link-preview", hidden: true });
  #timer = 0;
  /** The cards by URL: null if the page has none or the user dismissed it; undefined until the response arrives. @type {Map<string, { token: string, card: import("../messages/card.js").Card } | null | undefined>} */
  #cards = new Map();
  #shown = ""; // URL

  constructor({ room, composer }) {
    this.#room = room;
    this.#composer = composer;
    this.#box.setAttribute("role", "group");
    this.#box.ariaLabel = "Link preview";
    this.#form.querySelector(".target").after(this.#box);
    this.#field.addEventListener("input", ({ inputType }) => this.#update(inputType === "insertFromPaste"));
    this.#form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || isComposing(event) || this.#box.hidden) return;
      event.preventDefault();
      this.#dismiss();
    });
    composer.addEventListener("compose", ({ detail }) => this.#addTo(detail));
    new MutationObserver(() => this.#update(false)).observe(this.#form.querySelector(".target"), { attributes: true, subtree: true, childList: true }); // an edit has begun or ended
    this.#update(false);
  }

  /** Returns the first link that may get a card, or undefined. */
  #link(text = this.#field.value) {
    return findLinks(text).slice(0, MAX_LINKS).find(({ url }) => this.#cards.get(url) !== null);
  }

  /** Shows the card for the current text. Requests it if the link is complete. */
  #update(isComplete) {
    clearTimeout(this.#timer);
    const link = this.#composer.target?.kind === "edit" ? undefined : this.#link();
    this.#show(link?.url);
    if (!link || this.#cards.has(link.url)) return;
    const delay = isComplete || link.end < this.#field.value.length ? 0 : PAUSE;
    this.#timer = setTimeout(() => (this.#mustAsk ? this.#show(link.url, true) : this.#request(link.url)), delay);
  }

  async #request(url) {
    if (this.#cards.has(url) || !navigator.onLine) return;
    this.#cards.set(url, undefined);
    const { token, preview: card } = await this.#fetch(url);
    if (!this.#cards.has(url)) return; // the message was sent
    this.#cards.set(url, card ? { token, card } : null);
    this.#update(true);
  }

  /** Returns the card of a URL and its token. Returns an empty object if there is no card, or after an error. */
  async #fetch(url) {
    try {
      const response = await fetch(`/r/${this.#room}/previews`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ url }) });
      return response.ok ? await response.json() : {};
    } catch {
      return {};
    }
  }

  /** Shows the card of a URL, or a button to request it. @param {string} [url] @param {boolean} [asks] */
  #show(url, asks) {
    const found = this.#cards.get(url);
    const isShown = Boolean(found) || Boolean(asks);
    if (isShown && this.#shown === url && Boolean(found) === Boolean(this.#box.querySelector(".link-card"))) return;
    this.#shown = isShown ? url : "";
    this.#box.hidden = !isShown;
    this.#box.replaceChildren();
    if (found) this.#box.append(makeCard(found.card));
    else if (asks) this.#box.append(this.#button("Add preview", "", () => this.#ask(url)));
    if (isShown) this.#box.append(this.#button("✕", found ? "Remove preview (Esc)" : "No preview (Esc)", () => this.#dismiss()));
  }

  #button(text, title, action) {
    const button = make("button", { type: "button", className: "secondary", textContent: text, title });
    if (title) button.ariaLabel = title.replace(" (Esc)", "");
    button.addEventListener("click", action);
    return button;
  }

  #ask(url) {
    this.#field.focus();
    this.#show();
    this.#request(url);
  }

  #dismiss() {
    this.#cards.set(this.#shown, null);
    this.#field.focus();
    this.#update(true);
  }

  /** Adds the token of the card to a message that is being sent. */
  #addTo(message) {
    const url = this.#link(message.text)?.url;
    const found = this.#cards.get(url);
    if (found && url === this.#shown) message.preview = found.token;
    clearTimeout(this.#timer);
    if (!message.text) return; // the message is not sent
    this.#cards.clear();
    this.#show();
  }
}
