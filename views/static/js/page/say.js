let timer = 0;

/** Says something that passes: that a link was copied, why a place cannot be had. @param {string} text */
export function say(text) {
  const line = document.getElementById("said");
  line.textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => line.replaceChildren(), 4_000);
}
