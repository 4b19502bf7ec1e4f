import emoji from "../../vendor/markdown-it-emoji-3.1.0/full.js";
import { composing } from "../page/keys.js";
import { keep, recall } from "../page/storage.js";

const RECENT = "burble:emoji";
const panel = build();
let settle = () => {};

/**
 * Lets the reader pick an emoji, beside a button.
 * @param {HTMLElement} button
 * @returns {Promise<string | null>} null: none
 */
export function pick(button) {
  settle(null);
  const [field] = panel.children;
  field.value = "";
  fill("");
  const { left, bottom, top } = button.getBoundingClientRect();
  panel.showPopover();
  panel.style.left = `${Math.max(8, Math.min(left, innerWidth - panel.offsetWidth - 8))}px`;
  panel.style.top = `${bottom + panel.offsetHeight + 8 < innerHeight ? bottom + 4 : Math.max(8, top - panel.offsetHeight - 4)}px`;
  field.focus();
  return new Promise((resolve) => (settle = resolve));
}

function build() {
  const made = document.createElement("div");
  const field = Object.assign(document.createElement("input"), { type: "search", placeholder: "Find an emoji", ariaLabel: "Find an emoji" });
  const grid = Object.assign(document.createElement("div"), { className: "grid" });
  Object.assign(made, { id: "picker", popover: "auto", role: "dialog", ariaLabel: "Emoji" });
  made.append(field, grid);
  document.body.append(made);
  field.addEventListener("input", () => fill(field.value.trim().toLowerCase()));
  made.addEventListener("toggle", ({ newState }) => newState === "closed" && settle(null));
  made.addEventListener("click", ({ target }) => {
    const chosen = target.closest("button")?.textContent;
    if (!chosen) return;
    remember(chosen);
    settle(chosen);
    made.hidePopover();
  });
  made.addEventListener("keydown", (event) => {
    if (composing(event)) return;
    const buttons = [...grid.children];
    const at = buttons.indexOf(document.activeElement);
    const row = Math.max(1, buttons.findIndex((one) => one.offsetTop > buttons[0].offsetTop));
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: at < 0 ? 1 : row, ArrowUp: -row }[event.key];
    if (event.key === "Enter" && event.target === field) buttons[0]?.click();
    else if (!step || (at < 0 && event.key !== "ArrowDown")) return;
    else if (at >= 0 && at + step < 0) field.focus();
    else buttons[at + step]?.focus();
    event.preventDefault();
  });
  return made;
}

/** Shows the emoji with a word in a name, those used last before all others. */
function fill(word) {
  const names = new Map();
  if (!word) for (const one of recent()) names.set(one, "");
  const numbers = ([name]) => /^\d/.test(name); // An object has them first.
  for (const [name, one] of Object.entries(emoji).sort((a, b) => numbers(a) - numbers(b))) if (name.includes(word) && !names.get(one)) names.set(one, name);
  panel.lastElementChild.replaceChildren(
    ...[...names].map(([one, name]) => {
      const label = name.replaceAll("_", " ");
      return Object.assign(document.createElement("button"), { type: "button", textContent: one, title: label, ariaLabel: label });
    }),
  );
}

function recent() {
  return JSON.parse(recall(RECENT) || "[]");
}

function remember(one) {
  keep(RECENT, JSON.stringify([...new Set([one, ...recent()])].slice(0, 16)));
}
