import { composing } from "../page/keys.js";
import { say } from "../page/say.js";
import { keep, recall } from "../page/storage.js";

const CLOSE = 200; // how near the limit the counter shows

/** How many characters a text has, as the server counts them. @param {string} text */
export function length(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/**
 * @typedef {object} About what is written about: a message that is answered, or changed
 * @property {"reply" | "edit"} kind
 * @property {string} id entry ID
 * @property {string} [name] its author's
 * @property {string} [tag] what tells them apart from others of the name
 * @property {string} [line] its first line
 * @property {string} [text] what it is being changed to
 */

/**
 * Composer is the form a message is written in. What is written is kept as the
 * user's draft in the room until it is sent, and so is what it is about; while a message is
 * changed its text is kept beside the draft. It is never disabled: where a message
 * goes when there is no connection is not its concern.
 *
 * Event: `last` when the reader wants to change their last message.
 */
export class Composer extends EventTarget {
  #form;
  #text;
  #count;
  #limit;
  #draft; // under which name it is kept
  /** @type {About | null} */
  #about = null;
  #kept; // under which name that is
  #send;
  #edit;
  #touch = matchMedia("(pointer: coarse)");

  /**
   * @param {HTMLFormElement} form
   * @param {{ room: string, user: string, limit: number, send: (text: string, replyTo?: string) => void,
   *   edit: (id: string, text: string) => void }} options
   */
  constructor(form, { room, user, limit, send, edit }) {
    super();
    this.#form = form;
    this.#text = form.elements.text;
    this.#count = form.querySelector("output");
    this.#limit = limit;
    this.#send = send;
    this.#edit = edit;
    this.#draft = `burble:draft:${user}:${room}`;
    this.#kept = `burble:about:${user}:${room}`;
    const draft = recall(this.#draft);
    const { value } = this.#text; // What was written before there was a script, or was restored.
    if (!value.includes(draft)) this.#text.value = value ? `${draft}\n${value}` : draft;
    const about = recall(this.#kept);
    if (about) this.#turn(JSON.parse(about));
    form.querySelector(".about button").addEventListener("click", () => this.#release());
    this.#text.addEventListener("input", () => this.#changed());
    document.addEventListener("visibilitychange", () => this.#text.value && !recall(this.#draft) && this.#changed()); // Another tab may have sent the draft.
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#changed();
    if (!this.#touch.matches && !document.querySelector("article[autofocus]")) this.#text.focus();
  }

  /** @param {number} limit most characters of a message */
  set limit(limit) {
    this.#limit = limit;
    this.#changed();
  }

  /** Writes an answer to a message. @param {Omit<About, "kind">} about */
  reply(about) {
    if (this.#about?.kind === "edit") this.#release();
    this.#turn({ kind: "reply", ...about });
    this.#text.focus();
  }

  /** Changes a message. @param {{ id: string, text: string }} about */
  edit(about) {
    this.#turn({ kind: "edit", ...about });
    this.#text.focus();
  }

  /** A message is no more: it is not answered or changed. @param {string} id */
  forget(id) {
    if (this.#about?.id === id) this.#release();
  }

  /** Lets go of what is answered or changed; the draft is what it was. */
  #release() {
    if (this.#about.kind === "edit") this.#text.value = recall(this.#draft);
    this.#turn(null);
    this.#text.focus();
  }

  #turn(about) {
    const line = this.#form.querySelector(".about");
    this.#about = about;
    line.hidden = !about;
    const [title, text] = line.children;
    title.textContent = about?.kind === "edit" ? "Editing your message" : `Replying to ${about?.name}`;
    if (about?.tag) title.dataset.tag = about.tag;
    else delete title.dataset.tag;
    text.textContent = about?.line ?? "";
    if (about?.kind === "edit") this.#text.value = about.text;
    this.#changed();
  }

  #key(event) {
    if (composing(event)) return;
    if (event.key === "Escape" && this.#about) {
      event.preventDefault();
      return this.#release();
    }
    if (event.key === "ArrowUp" && !event.altKey && !this.#text.value.trim() && !this.#about) {
      event.preventDefault();
      return this.dispatchEvent(new Event("last"));
    }
    if (event.key !== "Enter" || event.shiftKey || this.#touch.matches) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#text.value.trim();
    this.#text.focus();
    const about = this.#about;
    if (!text) return about?.kind === "edit" && say("The message is empty. Delete it instead?");
    if (length(text) > this.#limit) return say(`Messages can be at most ${this.#limit} characters long.`);
    if (about?.kind === "edit") {
      this.#release();
      return this.#edit(about.id, text);
    }
    this.#text.value = "";
    this.#turn(null);
    this.#send(text, about?.id);
  }

  #changed() {
    const { value } = this.#text;
    if (this.#about?.kind === "edit") this.#about.text = value;
    else keep(this.#draft, value);
    keep(this.#kept, this.#about ? JSON.stringify(this.#about) : "");
    const left = this.#limit - length(value.trim());
    this.#count.hidden = left > CLOSE;
    this.#count.value = `${Math.abs(left)} character${Math.abs(left) === 1 ? "" : "s"} ${left < 0 ? "over" : "left"}`;
    this.#text.ariaInvalid = String(left < 0);
    this.#form.toggleAttribute("data-empty", !value.trim());
    this.#grow();
  }

  /** For browsers without field-sizing. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.blockSize = "auto";
    this.#text.style.blockSize = `${this.#text.scrollHeight}px`;
  }
}
