/** Copies text to the clipboard. Rejects if that fails. @param {string} text */
export async function copyText(text) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else copySelection(text);
}

/** Copies text without navigator.clipboard, which pages loaded over plain HTTP do not have. */
function copySelection(text) {
  const { activeElement } = document;
  const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true, className: "visually-hidden" }); // readOnly keeps a phone from showing its keyboard
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  activeElement.focus({ preventScroll: true });
  if (!isCopied) throw new Error("not copied");
}
