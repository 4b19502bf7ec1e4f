import { contentOf, findPart } from "./message.js";

/**
 * Shows link previews ("cards") in messages, in the same markup as the server. The browser loads nothing from the linked
 * sites, because the server stores the pictures.
 */

/** @typedef {{ url: string, title: string, description?: string, site?: string, picture?: { url?: string, width: number, height: number, color?: string } }} Card */

const template = document.getElementById("card-template");
const log = document.getElementById("messages");

/** Decodes the card in a preview token, for a message that has not been sent. @param {string} token @returns {Card | undefined} */
export function cardOfToken(token) {
  try {
    const base64 = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)).card;
  } catch {
    return undefined; // the token is from another release
  }
}

/** Returns the element that shows a card. @param {Card} card */
export function makeCard({ url, title, description, site, picture }) {
  const card = template.content.firstElementChild.cloneNode(true);
  const [origin, link, text, placeholder, img] = card.children;
  const { host } = new URL(url);
  origin.firstElementChild.textContent = site === host ? "" : (site ?? "");
  origin.lastElementChild.textContent = host;
  link.href = url;
  link.textContent = title;
  if (description) text.textContent = description;
  else text.remove();
  if (picture) {
    img.width = picture.width;
    img.height = picture.height;
    if (picture.color) placeholder.setAttribute("color", picture.color);
  } else {
    placeholder.remove();
  }
  if (picture?.url) img.src = picture.url;
  else img.remove();
  return card;
}

/** Shows the card of a message after its text and files. @param {Element} article */
export function showCard(article) {
  const { preview } = contentOf(article);
  const before = findPart(article, ".link-card");
  const card = typeof preview === "string" ? cardOfToken(preview) : preview;
  if (!card || !template) return before?.remove();
  const after = makeCard(card);
  if (before) before.replaceWith(after);
  else findPart(article, ".reactions").before(after);
  hideUnlinked(article);
}

/** Hides the card if an edit has removed its link from the message, as the server does. */
function hideUnlinked(article) {
  const card = findPart(article, ".link-card");
  if (!card) return;
  const { href } = card.querySelector("a");
  card.hidden = "edited" in article.dataset && ![...findPart(article, ".body").querySelectorAll("a")].some((link) => link.href === href);
}

/** Reads the card from an element that the server rendered. @param {Element} element @returns {Card} */
function readCard(element) {
  const text = (selector) => element.querySelector(selector)?.textContent || undefined;
  const img = element.querySelector("img");
  const picture = img && { url: img.getAttribute("src"), width: img.width, height: img.height, color: element.querySelector("svg").getAttribute("color") ?? undefined };
  return { url: element.querySelector("a").href, title: text("a"), description: text("a + p"), site: text("bdi"), picture: picture ?? undefined };
}

for (const article of log.querySelectorAll("article:has(> .link-card)")) contentOf(article).preview ??= readCard(findPart(article, ".link-card"));

/** Removes the placeholder of a loaded picture, because parts of the picture may be transparent. */
const removePlaceholder = (img) => img.closest(".link-card")?.querySelector("svg")?.remove();
log.addEventListener("load", ({ target }) => removePlaceholder(target), true);
for (const img of log.querySelectorAll(".link-card img")) if (img.complete && img.naturalWidth) removePlaceholder(img);

new MutationObserver((changes) => {
  for (const { target: article, attributeName } of changes) {
    if (!article.matches("article:has(> .link-card)")) continue;
    if (attributeName === "data-edited") hideUnlinked(article);
    else showCard(article); // the message is stored, maybe without its card, or deleted
  }
}).observe(log, { subtree: true, attributeFilter: ["id", "data-edited", "data-deleted"] });
