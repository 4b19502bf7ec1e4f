const THEMES = ["", "light", "dark"];

/** A button that goes from the system's theme to light to dark. The cookie has the server render the next page so. @param {HTMLElement} button */
export function themes(button) {
  const { dataset } = document.documentElement;
  const name = () => {
    button.title = `Theme: ${dataset.theme || "as the system"}`;
    button.lastElementChild.textContent = button.title;
  };
  button.addEventListener("click", () => {
    const theme = THEMES[(THEMES.indexOf(dataset.theme ?? "") + 1) % THEMES.length];
    if (theme) dataset.theme = theme;
    else delete dataset.theme;
    document.cookie = `theme=${theme}; path=/; max-age=${theme ? 31_536_000 : 0}; samesite=lax`;
    name();
  });
  name();
}
