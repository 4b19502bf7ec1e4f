import emojiByName from "../../vendor/markdown-it-emoji-3.1.0/full.js";
import { isComposing } from "./composer.js";
import { loadJSON, save } from "../page/storage.js";

const RECENT_KEY = "burble:emoji";
const MAX_RECENT = 16;
const panel = makePanel();
let resolvePick = () => {};

/**
 * Shows the emoji picker next to a button. Resolves with the emoji, or null if the user picks none.
 * @param {HTMLElement} button
 * @returns {Promise<string | null>}
 */
export function pickEmoji(button) {
  resolvePick(null);
  const [field] = panel.children;
  field.value = "";
  showMatches("");
  const { left, bottom, top } = button.getBoundingClientRect();
  panel.showPopover();
  panel.style.left = `${Math.max(8, Math.min(left, innerWidth - panel.offsetWidth - 8))}px`;
  panel.style.top = `${bottom + panel.offsetHeight + 8 < innerHeight ? bottom + 4 : Math.max(8, top - panel.offsetHeight - 4)}px`;
  field.focus();
  return new Promise((resolve) => (resolvePick = resolve));
}

function makePanel() {
  const panel = document.createElement("div");
  const field = Object.assign(document.createElement("input"), { type: "search", placeholder: "Find an emoji", ariaLabel: "Find an emoji" });
  const grid = Object.assign(document.createElement("div"), { className: "grid" });
  Object.assign(panel, { id: "picker", popover: "auto", role: "dialog", ariaLabel: "Emoji" });
  panel.append(field, grid);
  document.body.append(panel);
  field.addEventListener("input", () => showMatches(field.value.trim().toLowerCase()));
  panel.addEventListener("toggle", ({ newState }) => newState === "closed" && resolvePick(null));
  panel.addEventListener("click", ({ target }) => {
    const picked = target.closest("button")?.value;
    if (!picked) return;
    saveRecent(picked);
    resolvePick(picked);
    panel.hidePopover();
  });
  panel.addEventListener("keydown", (event) => handleKey(event, field, grid));
  return panel;
}

/** Handles keys. Enter in the field picks the first emoji. Arrow keys move between the field and the emoji. */
function handleKey(event, field, grid) {
  if (isComposing(event)) return;
  const buttons = [...grid.children];
  const index = buttons.indexOf(document.activeElement);
  const perRow = Math.max(1, buttons.findIndex((button) => button.offsetTop > buttons[0].offsetTop));
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: index < 0 ? 1 : perRow, ArrowUp: -perRow }[event.key];
  if (event.key === "Enter" && event.target === field) buttons[0]?.click();
  else if (!step || (index < 0 && event.key !== "ArrowDown")) return;
  else if (index >= 0 && index + step < 0) field.focus();
  else buttons[index + step]?.focus();
  event.preventDefault();
}

/** Shows the emoji whose names contain a word. Without a word, shows all emoji, starting with those used recently. */
function showMatches(word) {
  const names = new Map();
  if (!word) for (const emoji of loadRecent()) names.set(emoji, "");
  const startsWithDigit = ([name]) => /^\d/.test(name); // such names go to the end, although objects list integer names first
  for (const [name, emoji] of Object.entries(emojiByName).sort((a, b) => startsWithDigit(a) - startsWithDigit(b))) {
    if (name.includes(word) && !names.get(emoji)) names.set(emoji, name);
  }
  panel.lastElementChild.replaceChildren(
    ...[...names].map(([emoji, name]) => {
      const label = name.replaceAll("_", " ");
      return Object.assign(document.createElement("button"), { type: "button", value: emoji, textContent: emoji, translate: false, title: label, ariaLabel: label });
    }),
  );
}

function loadRecent() {
  return loadJSON(RECENT_KEY) ?? [];
}

function saveRecent(emoji) {
  save(RECENT_KEY, JSON.stringify([...new Set([emoji, ...loadRecent()])].slice(0, MAX_RECENT)));
}
