/**
 * Creates an element. Dialogs that need the script are not in the markup of the page, but created on first use.
 * @param {string} tag
 * @param {Record<string, unknown>} [fields] properties, and attributes that are not properties
 * @param {...(Node | string)} children
 */
export function make(tag, fields = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Creates a button that closes its dialog. @param {Record<string, unknown>} fields */
export const makeCloseButton = (fields) => make("button", { name: "close", className: "secondary", title: "Close", ariaLabel: "Close", textContent: "✕", ...fields });
