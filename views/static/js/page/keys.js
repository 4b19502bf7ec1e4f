import { make } from "./make.js";

/** The keys that shortcuts.js, toolbar.js and composer.js handle. */
const KEYS = [
  ["Ctrl K", "Find, open or create a room"],
  ["Alt ↑ ↓", "Previous or next room"],
  ["Alt Shift ↑ ↓", "Previous or next unread room"],
  ["Esc", "Close a panel, or jump to the latest message"],
  ["End", "Jump to the latest message (when the message box is empty)"],
  ["Enter", "Send; on a message, open its actions"],
  ["Shift Enter", "New line"],
  ["↑", "Edit your last message (when the message box is empty)"],
  ["↑ ↓", "Previous or next message (in the message list)"],
  ["/", "Search (in the message list)"],
  ["?", "Show these shortcuts (in the message list)"],
];

const rows = KEYS.flatMap(([keys, text]) => [make("dt", {}, ...keys.split(" ").flatMap((key) => [make("kbd", {}, key), " "])), make("dd", {}, text)]);
const heading = make("h2", { id: "keys-heading" }, "Keyboard shortcuts");
const panel = make("div", { id: "keys", popover: "auto", role: "dialog", tabIndex: 0, "aria-labelledby": heading.id }, heading, make("dl", {}, ...rows));
document.body.append(panel);

/** Shows the keyboard shortcuts. */
export function showKeys() {
  panel.showPopover();
  panel.focus();
}
