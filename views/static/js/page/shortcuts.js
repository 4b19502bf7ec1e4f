import { neighborOf } from "../rooms/rooms.js";
import { isComposing } from "../compose/composer.js";

const MAC = /^(Mac|iP)/.test(globalThis.navigator?.platform);

/**
 * Returns the character of a shortcut, in lower case. On a Latin layout, it is the character that the key types,
 * because "/" may be on any key. On other layouts, it is the character that the key types on a US keyboard. For
 * example, the "/" key of a US keyboard types "." on the Russian layout.
 * @param {{ key: string, code: string, shiftKey: boolean }} event
 */
export function shortcutKey({ key, code, shiftKey }) {
  if (!/^([.,]|[^\0-\x7f\p{Script=Latin}])$/u.test(key)) return key.toLowerCase();
  return { KeyK: "k", Slash: shiftKey ? "?" : "/" }[code] ?? key;
}

/**
 * Adds the keyboard shortcuts of the whole page. A single character is a shortcut only while the
 * focus is in the message list (WCAG 2.1.4). Other characters go into the composer, wherever the
 * focus is.
 * @param {{ rooms: import("../rooms/rooms.js").Rooms, room: string, showLatest: () => void }} options
 */
export function addShortcuts({ rooms, room, showLatest }) {
  const findField = document.getElementById("find").elements.room;
  const roomsPanel = document.getElementById("rooms");
  const scroller = document.getElementById("scroller");
  const composerField = document.querySelector("#composer textarea");
  document.addEventListener("keydown", (event) => {
    const { key, altKey, ctrlKey, metaKey, shiftKey, target } = event;
    if (event.defaultPrevented || isComposing(event)) return;
    const isEmpty = target === composerField && !composerField.value;
    const isTyping = target.matches("input, textarea, select, [contenteditable]");
    const shortcut = shortcutKey(event);
    const isPlain = !altKey && !ctrlKey && !metaKey;
    const inMessages = scroller.contains(target);
    const hasOpenPanel = document.querySelector(":popover-open, dialog[open]");
    const movesCaret = isTyping && target.value && MAC; // on a Mac, Alt with an arrow moves the caret by paragraphs
    if ((ctrlKey || metaKey) && shortcut === "k") {
      if (!findField.checkVisibility()) roomsPanel.showPopover();
      findField.focus();
      findField.select();
    } else if (altKey && !ctrlKey && !metaKey && !movesCaret && (key === "ArrowUp" || key === "ArrowDown")) {
      const next = neighborOf(rooms.sorted, room, key === "ArrowUp" ? -1 : 1, shiftKey);
      if (next) location.assign(`/r/${next}`);
    } else if (isPlain && shortcut === "?" && inMessages) {
      document.getElementById("open-keys").click();
    } else if (isPlain && shortcut === "/" && inMessages) {
      document.getElementById("open-search").click();
    } else if (isPlain && !hasOpenPanel && (key === "Escape" || (key === "End" && (!isTyping || isEmpty)))) {
      showLatest();
      composerField?.focus();
    } else {
      // The browser handles the key, after moving the focus if necessary.
      if (isPlain && !hasOpenPanel && !isTyping && /^\S$/u.test(key)) composerField?.focus();
      if (isPlain && isEmpty && /^Page/.test(key)) scroller.focus();
      return;
    }
    event.preventDefault();
  });
}
