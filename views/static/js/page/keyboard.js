import { neighbourOf } from "../rooms/rooms.js";

const MAC = /^(Mac|iP)/.test(globalThis.navigator?.platform);

/**
 * Reports whether a key belongs to an input method that is composing a word. Safari ends the
 * composition before it dispatches the key that ended it, which has keyCode 229.
 * @param {KeyboardEvent} event
 */
export const isComposing = ({ isComposing, keyCode }) => isComposing || keyCode === 229;

/**
 * Adds the keyboard shortcuts of the page, which the dialog #keys lists. A letter is a
 * shortcut only while the focus is in the message list (WCAG 2.1.4). Any other letter
 * goes into the composer, wherever the focus is.
 * @param {{ rooms: import("../rooms/rooms.js").Rooms, room: string, showLatest: () => void }} options
 */
export function addShortcuts({ rooms, room, showLatest }) {
  const find = document.getElementById("find").elements.room;
  const side = document.getElementById("rooms");
  const help = document.getElementById("keys");
  const scroller = document.getElementById("scroller");
  const field = document.querySelector("#composer textarea");
  document.addEventListener("keydown", (event) => {
    const { key, altKey, ctrlKey, metaKey, shiftKey, target } = event;
    if (event.defaultPrevented || isComposing(event)) return;
    const isTyping = target.matches("input, textarea, select, [contenteditable]");
    const isPlain = !altKey && !ctrlKey && !metaKey;
    const inMessages = scroller.contains(target);
    const isOpen = document.querySelector(":popover-open, dialog[open]");
    // On a Mac, Alt with an arrow moves the caret by paragraphs.
    const movesCaret = isTyping && target.value && MAC;
    if ((ctrlKey || metaKey) && key.toLowerCase() === "k") {
      if (!find.checkVisibility()) side.showPopover();
      find.focus();
      find.select();
    } else if (altKey && !ctrlKey && !metaKey && !movesCaret && (key === "ArrowUp" || key === "ArrowDown")) {
      const to = neighbourOf(rooms.sorted, room, key === "ArrowUp" ? -1 : 1, shiftKey);
      if (to) location.assign(`/r/${to}`);
    } else if (isPlain && key === "?" && inMessages) {
      help.showPopover();
      help.focus();
    } else if (isPlain && key === "/" && inMessages) {
      document.getElementById("open-search").click();
    } else if (isPlain && !isOpen && (key === "Escape" || (key === "End" && !isTyping))) {
      showLatest();
      field?.focus();
    } else {
      // Move the focus, and let the browser handle the key there.
      if (isPlain && !isOpen && !isTyping && /^\S$/u.test(key)) field?.focus();
      if (isPlain && target === field && !field.value && /^Page/.test(key)) scroller.focus();
      return;
    }
    event.preventDefault();
  });
}
