import emoji from "../../vendor/markdown-it-emoji-3.1.0/full.js";
import { isComposing } from "../page/keyboard.js";
import { load, save } from "../page/storage.js";

const RECENT_KEY = "burble:emoji";
const MAX_RECENT = 16;
const panel = makePanel();
let resolvePick = () => {};

/**
 * Lets the user pick an emoji, next to a button. Resolves with null if they pick none.
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
    const picked = target.closest("button")?.textContent;
    if (!picked) return;
    saveRecent(picked);
    resolvePick(picked);
    panel.hidePopover();
  });
  panel.addEventListener("keydown", (event) => handleKey(event, field, grid));
  return panel;
}

/** Enter in the field picks the first emoji. Arrow keys move through the grid, and back to the field. */
function handleKey(event, field, grid) {
  if (isComposing(event)) return;
  const buttons = [...grid.children];
  const at = buttons.indexOf(document.activeElement);
  const perRow = Math.max(1, buttons.findIndex((button) => button.offsetTop > buttons[0].offsetTop));
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: at < 0 ? 1 : perRow, ArrowUp: -perRow }[event.key];
  if (event.key === "Enter" && event.target === field) buttons[0]?.click();
  else if (!step || (at < 0 && event.key !== "ArrowDown")) return;
  else if (at >= 0 && at + step < 0) field.focus();
  else buttons[at + step]?.focus();
  event.preventDefault();
}

/** Shows the emoji whose names contain a word or, without a word, all of them after the recent ones. */
function showMatches(word) {
  const names = new Map();
  if (!word) for (const one of loadRecent()) names.set(one, "");
  const startsWithDigit = ([name]) => /^\d/.test(name); // Such names come first in an object; they go last.
  for (const [name, one] of Object.entries(emoji).sort((a, b) => startsWithDigit(a) - startsWithDigit(b))) {
    if (name.includes(word) && !names.get(one)) names.set(one, name);
  }
  panel.lastElementChild.replaceChildren(
    ...[...names].map(([one, name]) => {
      const label = name.replaceAll("_", " ");
      return Object.assign(document.createElement("button"), { type: "button", textContent: one, title: label, ariaLabel: label });
    }),
  );
}

function loadRecent() {
  return JSON.parse(load(RECENT_KEY) || "[]");
}

function saveRecent(one) {
  save(RECENT_KEY, JSON.stringify([...new Set([one, ...loadRecent()])].slice(0, MAX_RECENT)));
}
