import { newKey } from "./id.js";

/** Topic is what the room is about: shown in the bar, and changed in a dialog. */
export class Topic {
  #button = document.getElementById("topic-button");
  #dialog = document.getElementById("topic");
  #key = "";

  /** @param {{ room: string, connection: import("./connection.js").Connection }} options */
  constructor({ room, connection }) {
    const form = this.#dialog?.querySelector("form");
    this.#dialog?.addEventListener("toggle", ({ newState }) => newState === "open" && form.elements.text.select());
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#key = newKey();
      const sent = connection.send({ type: "topic", room, key: this.#key, text: form.elements.text.value.trim() });
      this.#say(sent ? "" : "Not connected. Try again in a moment.");
    });
    connection.addEventListener("stored", ({ detail }) => {
      if (detail.key !== this.#key) return;
      this.#dialog.hidePopover();
      document.getElementById("tools").hidePopover(); // From where it was opened, on a phone.
    });
    connection.addEventListener("error", ({ detail }) => detail.key === this.#key && this.#say(detail.message));
    connection.addEventListener("entries", ({ detail }) => {
      const topic = detail.entries.findLast((entry) => entry.kind === "topic");
      if (topic) this.#button.firstElementChild.textContent = topic.text;
    });
  }

  #say(text) {
    this.#dialog.querySelector("[role=status]").textContent = text;
  }
}
