const DURATION = 4_000;

let timer = 0;

/** Shows a short message that goes away by itself. @param {string} text */
export function toast(text) {
  const output = document.getElementById("toast");
  output.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => output.replaceChildren(), DURATION);
}
