import { make, makeCloseButton } from "../page/make.js";

/** The dialog that shows the pictures of a room at full size. Importing this module creates it. */

const MIN_SWIPE = 50; // pixels

const messageList = document.getElementById("messages");
const name = make("h2", { id: "viewer-name", dir: "auto", translate: false });
const position = make("p", { role: "status" });
const download = make("a", { className: "button" }, "Download");
const close = makeCloseButton({ type: "button", className: "", title: "Close (Esc)" });
const previous = make("button", { type: "button", name: "previous", title: "Previous picture (←)", ariaLabel: "Previous picture" }, "‹");
const next = make("button", { type: "button", name: "next", title: "Next picture (→)", ariaLabel: "Next picture" }, "›");
const frame = make("figure");
const caption = make("figcaption", { dir: "auto" });
const bar = make("header", {}, name, position, download, close);
const dialog = make("dialog", { className: "viewer", id: "viewer", "aria-labelledby": name.id }, bar, previous, frame, next, caption);
document.body.append(dialog);

/** @type {HTMLAnchorElement} the link of the shown picture */
let current;
/** @type {HTMLAnchorElement} the link that opened the dialog */
let opener;
let swipe;

/** Shows a picture. The arrow keys show the other pictures of the room. @param {HTMLAnchorElement} link */
export function showPicture(link) {
  opener = link;
  show(link);
  if (!dialog.open) dialog.showModal();
  close.focus();
}

const links = () => [...messageList.querySelectorAll(".picture[href]")];

function show(link) {
  const all = links();
  const index = all.indexOf(link);
  const { src, alt, width, height } = link.querySelector("img");
  current = link;
  name.textContent = link.title || "Picture";
  position.textContent = all.length > 1 ? `${index + 1} of ${all.length}` : "";
  caption.textContent = alt === link.title ? "" : alt;
  const isLocal = link.protocol === "blob:";
  download.href = isLocal ? link.href : `${link.href}?download`;
  download.download = isLocal ? link.title : "";
  previous.disabled = index < 1;
  next.disabled = index === all.length - 1;
  // The enlarged thumbnail is shown until the picture is loaded.
  const img = make("img", { alt, width: width * 10, height: height * 10, decoding: "async" });
  const full = new Image();
  img.src = src;
  frame.replaceChildren(img);
  full.src = link.href;
  full.decode().then(
    () => {
      img.src = full.src;
      [img.width, img.height] = [full.naturalWidth, full.naturalHeight];
    },
    () => current === link && (caption.textContent = "This picture can’t be loaded right now."),
  );
}

/** Shows the picture that is `steps` places after the current one. */
function move(steps) {
  const all = links();
  const target = all[all.indexOf(current) + steps];
  if (target) show(target);
}

dialog.addEventListener("keydown", (event) => {
  const all = links();
  const index = all.indexOf(current);
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -index, End: all.length - 1 - index }[event.key];
  if (steps === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  move(steps);
});
previous.addEventListener("click", () => move(-1));
next.addEventListener("click", () => move(1));
close.addEventListener("click", () => dialog.close());
frame.addEventListener("click", ({ target }) => target === frame && dialog.close());
dialog.addEventListener("close", () => {
  frame.replaceChildren();
  (opener.isConnected ? opener : document.getElementById("scroller")).focus({ preventScroll: true });
});

// Swiping left or right shows the next or previous picture, and swiping down closes the dialog.
// A second finger zooms instead, and a finger on a long description scrolls it.
dialog.addEventListener(
  "touchstart",
  ({ target, touches }) => {
    const scrolls = target === caption && caption.scrollHeight > caption.clientHeight;
    swipe = touches.length === 1 && visualViewport.scale === 1 && !scrolls ? touches[0] : null;
  },
  { passive: true },
);
dialog.addEventListener("touchend", ({ changedTouches: [end] }) => {
  if (!swipe) return;
  const [x, y] = [end.clientX - swipe.clientX, end.clientY - swipe.clientY];
  swipe = null;
  if (Math.abs(x) > Math.max(MIN_SWIPE, 2 * Math.abs(y))) move(x > 0 ? -1 : 1);
  else if (y > Math.max(2 * MIN_SWIPE, 2 * Math.abs(x))) dialog.close();
});

// Close the dialog when its picture leaves the page, for example because the message was deleted.
new MutationObserver(() => dialog.open && !current.isConnected && dialog.close()).observe(messageList, { childList: true, subtree: true });
