const DURATION = 4_000; // milliseconds

let timer = 0;

/** Shows a short message that disappears by itself. Returns a function that removes it earlier. @param {string} text */
export function toast(text) {
  const output = document.getElementById("toast");
  output.textContent = text;
  clearTimeout(timer);
  const own = (timer = setTimeout(() => output.replaceChildren(), DURATION));
  return () => own === timer && output.replaceChildren();
}
