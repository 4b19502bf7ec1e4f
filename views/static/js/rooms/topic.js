import { newKey } from "../net/id.js";

const dialog = document.getElementById("topic");
let key = ""; // idempotency key of the last request

/**
 * Sends the topic in the dialog to the server.
 * @param {{ room: string, connection: import("../net/connection.js").Connection }} options
 */
export function saveTopic({ room, connection }) {
  if (!key) listen(connection);
  key = newKey();
  const sent = connection.send({ type: "topic", room, key, text: dialog.querySelector("input").value.trim() });
  showStatus(sent ? "" : "Not connected. Try again in a moment.");
}

function listen(connection) {
  connection.addEventListener("stored", ({ detail }) => {
    if (detail.key !== key) return;
    dialog.hidePopover();
    document.getElementById("tools").hidePopover(); // on a phone, users open the dialog from there
  });
  connection.addEventListener("error", ({ detail }) => detail.key === key && showStatus(detail.message));
}

function showStatus(text) {
  dialog.querySelector("[role=status]").textContent = text;
}
