const THEMES = ["", "light", "dark"]; // "" follows the system
const TOOLBAR_COLORS = { light: "#fffefb", dark: "#1a272b" }; // colors of the browser's toolbar, the same as in layout.html

/**
 * Switches to the next theme: system, light, dark. The server reads the cookie when it renders the
 * next page.
 * @param {HTMLElement} button whose label shows the theme
 */
export function cycleTheme(button) {
  const { dataset } = document.documentElement;
  const theme = THEMES[(THEMES.indexOf(dataset.theme ?? "") + 1) % THEMES.length];
  if (theme) dataset.theme = theme;
  else delete dataset.theme;
  document.cookie = `theme=${theme}; path=/; max-age=${theme ? 31_536_000 : 0}; samesite=lax`;
  button.lastElementChild.textContent = button.title = `Theme: ${theme || "system"}`;
  const metas = document.querySelectorAll("meta[name=theme-color]");
  for (const [i, scheme] of ["light", "dark"].entries()) {
    metas[i].content = TOOLBAR_COLORS[theme || scheme];
    metas[i].media = theme ? "" : `(prefers-color-scheme: ${scheme})`;
  }
}
