import { newKey } from "../net/id.js";

const dialog = document.getElementById("topic");
let key = "";

/**
 * Saves the topic that the dialog has.
 * @param {{ room: string, connection: import("../net/connection.js").Connection }} options
 */
export function save({ room, connection }) {
  if (!key) listen(connection);
  key = newKey();
  const sent = connection.send({ type: "topic", room, key, text: dialog.querySelector("input").value.trim() });
  say(sent ? "" : "Not connected. Try again in a moment.");
}

function listen(connection) {
  connection.addEventListener("stored", ({ detail }) => {
    if (detail.key !== key) return;
    dialog.hidePopover();
    document.getElementById("tools").hidePopover(); // From where it was opened, on a phone.
  });
  connection.addEventListener("error", ({ detail }) => detail.key === key && say(detail.message));
}

function say(text) {
  dialog.querySelector("[role=status]").textContent = text;
}
