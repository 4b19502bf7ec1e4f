/** Formats the types and sizes of files, by the same rules as views.File on the server. */

/** Resolves when the stylesheet for files is loaded. On pages with files, the server already links it. */
export const stylesheet = globalThis.document && loadStylesheet();

function loadStylesheet() {
  if (document.querySelector("link[href$='/files.css']")) return undefined;
  const main = document.querySelector("link[rel=stylesheet]");
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: main.href.replace("style.css", "files.css") });
  return new Promise((resolve) => {
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]; // the same types as in file.go
const VIDEOS = ["video/mp4", "video/webm"];
const SOUNDS = ["audio/mpeg", "audio/mp4", "audio/ogg", "audio/webm"];

/** Reports whether the page shows a file of this type as a picture. @param {string} type */
export const isPicture = (type) => PICTURES.includes(type);

/** Returns the name of the element that plays a file of this type, or "". @param {string} type */
export const playerOf = (type) => (VIDEOS.includes(type) ? "video" : SOUNDS.includes(type) ? "audio" : "");

/** Returns the size at which the page shows a picture, in CSS pixels. @param {number} [width] @param {number} [height] @returns {[number, number]} */
export function shownSize(width, height) {
  if (!width || !height) return [384, 320];
  const scale = Math.min(1, 384 / width, 320 / height);
  return [width, height].map((side) => Math.max(1, Math.floor(side * scale + 0.5)));
}

/** Formats a number of bytes for people, such as "1.2 MB". @param {number} bytes */
export function formatSize(bytes) {
  let size = bytes;
  let unit = "bytes";
  for (const larger of ["KB", "MB", "GB"]) {
    if (size < 1_000) break;
    size /= 1_024;
    unit = larger;
  }
  return `${size.toFixed(unit === "bytes" || size >= 9.95 ? 0 : 1)} ${unit}`;
}

/** Returns the extension of a file name in capitals, or "" if it is longer than 4 characters. @param {string} name */
export function extensionOf(name) {
  const [, extension = ""] = name.match(/\.([^./]*)$/) ?? [];
  return [...extension].length > 4 ? "" : extension.toUpperCase();
}
