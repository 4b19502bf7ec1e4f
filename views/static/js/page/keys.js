import { stepped } from "../rooms/rooms.js";

const MAC = /^(Mac|iP)/.test(globalThis.navigator?.platform); // There the caret goes by paragraphs with Alt-arrows.

/**
 * Whether a key belongs to an input method, in which a word is being composed. Safari
 * ends the composition first, and then tells of the key that did: only by 229.
 * @param {KeyboardEvent} event
 */
export const composing = ({ isComposing, keyCode }) => isComposing || keyCode === 229;

/**
 * The keys of the whole page; the dialog #keys lists them. Letters are keys only where
 * the focus is among the messages (WCAG 2.1.4); any other letter, wherever it is typed,
 * is written.
 * @param {{ rooms: import("../rooms/rooms.js").Rooms, room: string, now: () => void }} options
 */
export function keys({ rooms, room, now }) {
  const find = document.getElementById("find").elements.room;
  const side = document.getElementById("rooms");
  const help = document.getElementById("keys");
  const scroller = document.getElementById("scroller");
  const field = document.querySelector("#composer textarea");
  document.addEventListener("keydown", (event) => {
    const { key, altKey, ctrlKey, metaKey, shiftKey, target } = event;
    if (event.defaultPrevented || composing(event)) return;
    const writing = target.matches("input, textarea, select, [contenteditable]");
    const plain = !altKey && !ctrlKey && !metaKey;
    const among = scroller.contains(target);
    const open = document.querySelector(":popover-open, dialog[open]");
    if ((ctrlKey || metaKey) && key.toLowerCase() === "k") {
      if (!find.checkVisibility()) side.showPopover();
      find.focus();
      find.select();
    } else if (altKey && !ctrlKey && !metaKey && !(writing && target.value && MAC) && (key === "ArrowUp" || key === "ArrowDown")) {
      const to = stepped(rooms.sorted, room, key === "ArrowUp" ? -1 : 1, shiftKey);
      if (to) location.assign(`/r/${to}`);
    } else if (plain && key === "?" && among) {
      help.showPopover();
      help.focus();
    } else if (plain && key === "/" && among) {
      document.getElementById("open-search").click();
    } else if (plain && !open && (key === "Escape" || (key === "End" && !writing))) {
      now();
      field?.focus();
    } else {
      // The browser does the rest where the focus is then.
      if (plain && !open && !writing && /^\S$/u.test(key)) field?.focus();
      if (plain && target === field && !field.value && /^Page/.test(key)) scroller.focus();
      return;
    }
    event.preventDefault();
  });
}
