import { formatSize, isPicture, extensionOf, playerOf, shownSize, stylesheet } from "./file-format.js";
import { showCard } from "./card.js";
import { make } from "../page/make.js";
import { contentOf, findPart } from "./message.js";

/** Shows the files of messages, in the same markup as the server. The files of unsent messages come from this browser. */

await stylesheet;

/** @typedef {{ name: string, type: string, size: number, width?: number, height?: number, color?: string, alt?: string, url: string, thumbnail?: string }} File */

const template = document.getElementById("file-template");
const log = document.getElementById("messages");

/** Shows the files of a message after its text, and its card. @param {Element} article */
export function showExtras(article) {
  showCard(article);
  const { files } = contentOf(article);
  const before = findPart(article, ".files");
  if (!files || !template) return;
  const isLocal = !article.id;
  if (before && isLocal) return; // they are already shown
  const container = make("div", { className: "files" }, ...files.flatMap(makeFile));
  if (before) replace(before, container);
  else findPart(article, ".body").after(container);
  if (isLocal) import("./local-files.js").then(({ showLocalFiles }) => showLocalFiles(container, files), () => {});
}

/** Sets an attribute to a URL, or removes it if there is no URL yet. */
function set(element, attribute, url) {
  if (url) element.setAttribute(attribute, url);
  else element.removeAttribute(attribute);
}

/** Returns the elements that show a file. @param {File} file */
function makeFile(file) {
  const { name, type, size, sizeText, width, height, color, alt, url, thumbnail } = file;
  const clone = (selector) => template.content.querySelector(selector).cloneNode(true);
  if (isPicture(type)) {
    const link = clone(".picture");
    const [placeholder, img] = link.children;
    link.title = alt && url ? "" : name;
    [img.width, img.height] = shownSize(width, height);
    img.alt = alt || name;
    if (color) placeholder.setAttribute("color", color);
    set(link, "href", url);
    set(img, "src", thumbnail || url);
    return [link];
  }
  const row = clone(".file");
  const [icon, nameElement, sizeElement] = row.children;
  row.title = nameElement.textContent = name;
  icon.textContent = extensionOf(name);
  sizeElement.textContent = sizeText ?? formatSize(size);
  set(row, "href", url && `${url}?download`);
  if (!playerOf(type)) return [row];
  const player = make(playerOf(type), { controls: true, preload: "metadata", ariaLabel: name });
  if (url) player.src = url;
  return [player, row];
}

/** Replaces the local files of a message after it is stored. A local picture stays visible until the server's copy has loaded. */
function replace(before, after) {
  const local = [...before.querySelectorAll("img")];
  for (const [i, img] of after.querySelectorAll("img").entries()) {
    const { src } = local[i] ?? {};
    if (!src?.startsWith("blob:")) continue;
    const stored = new Image();
    stored.src = img.src;
    img.src = src;
    const show = () => {
      img.src = stored.src;
      URL.revokeObjectURL(src);
    };
    stored.decode().then(show, show);
  }
  before.replaceWith(after);
}

/** Marks a picture as loaded. This hides its average color, which would otherwise show through transparent parts. */
function showLoaded(img) {
  const link = img.closest(".picture");
  if (!link) return;
  delete link.dataset.missing;
  link.dataset.loaded = "";
  img.style.blockSize = "";
}

/** Replaces a picture that could not be loaded with a copy from the browser's cache, even an expired one, or with its description. */
async function showMissing(img) {
  const link = img.closest(".picture");
  if (!link || "missing" in link.dataset || !img.src) return;
  img.style.blockSize = `${img.offsetHeight}px`; // keeps its height despite the padding of the description
  link.dataset.missing = img.src;
  if (img.src.startsWith("blob:")) return;
  const response = await fetch(img.src, { cache: "only-if-cached", mode: "same-origin" }).catch(() => undefined);
  if (!response?.ok || !link.dataset.missing) return;
  img.src = URL.createObjectURL(await response.blob());
}

/** Retries pictures that could not be loaded. */
function loadMissing() {
  for (const link of log.querySelectorAll("[data-missing]")) {
    const img = link.querySelector("img");
    img.src = link.dataset.missing;
  }
}

log.addEventListener("error", ({ target }) => target.localName === "img" && showMissing(target), true);
log.addEventListener("load", ({ target }) => target.localName === "img" && showLoaded(target), true);
log.addEventListener("dragstart", (event) => event.target.closest(".picture") && event.preventDefault()); // dropping a picture here would attach it
log.addEventListener("click", (event) => {
  const link = event.target.closest(".picture[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  import("./viewer.js").then(({ showPicture }) => showPicture(link), () => location.assign(link.href));
});
addEventListener("online", loadMissing);

// Messages may have been rendered before this module was loaded.
for (const article of log.querySelectorAll("article")) if (!findPart(article, ".files, :scope > .link-card")) showExtras(article);
for (const img of log.querySelectorAll(".picture img")) if (img.complete) (img.naturalWidth ? showLoaded : showMissing)(img);
