const THEMES = ["", "light", "dark"];
const COLOURS = { light: "#fffefb", dark: "#1a272b" }; // of the browser's own parts, as layout.html has them

/** Goes from the system's theme to light to dark. The cookie has the server render the next page so. @param {HTMLElement} button that shows it */
export function turn(button) {
  const { dataset } = document.documentElement;
  const theme = THEMES[(THEMES.indexOf(dataset.theme ?? "") + 1) % THEMES.length];
  if (theme) dataset.theme = theme;
  else delete dataset.theme;
  document.cookie = `theme=${theme}; path=/; max-age=${theme ? 31_536_000 : 0}; samesite=lax`;
  button.lastElementChild.textContent = button.title = `Theme: ${theme || "system"}`;
  const metas = document.querySelectorAll("meta[name=theme-color]");
  for (const [i, scheme] of ["light", "dark"].entries()) {
    metas[i].content = COLOURS[theme || scheme];
    metas[i].media = theme ? "" : `(prefers-color-scheme: ${scheme})`;
  }
}
