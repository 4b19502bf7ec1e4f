import { isComposing } from "../page/keyboard.js";
import { load, save } from "../page/storage.js";
import { toast } from "../page/toast.js";

const COUNTER_FROM = 200; // the counter is shown when this many characters are left, or fewer

/** Returns how many characters a text has, as the server counts them. @param {string} text */
export function lengthOf(text) {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/**
 * @typedef {object} Target the message being replied to or edited
 * @property {"reply" | "edit"} kind
 * @property {string} id entry ID
 * @property {string} [name] of its author
 * @property {string} [tag] that tells the author apart from others with the name
 * @property {string} [line] its first line
 * @property {string} [text] what an edit has made of it so far
 */

/**
 * Composer is the form for writing messages. It saves the user's draft for the room until it is
 * sent, together with the message being replied to or edited. While a message is edited, its text
 * is saved beside the draft. The composer is never disabled: getting a message to the server
 * is the outbox's job.
 *
 * Event: `editlast` when the user asks to edit their last message.
 */
export class Composer extends EventTarget {
  #form;
  #field;
  #counter;
  #limit;
  #draftKey;
  /** @type {Target | null} */
  #target = null;
  #targetKey;
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
    this.#field = form.elements.text;
    this.#counter = form.querySelector("output");
    this.#limit = limit;
    this.#send = send;
    this.#edit = edit;
    this.#draftKey = `burble:draft:${user}:${room}`;
    this.#targetKey = `burble:about:${user}:${room}`;
    this.#restore();
    form.querySelector(".target button").addEventListener("click", () => this.#cancel());
    this.#field.addEventListener("input", () => this.#changed());
    // When another tab has sent the draft, save what this one still shows.
    document.addEventListener("visibilitychange", () => this.#field.value && !load(this.#draftKey) && this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#handleKey(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#changed();
    if (!this.#touch.matches && !document.querySelector("article[autofocus]")) this.#field.focus();
  }

  /** @param {number} limit maximum length of a message, in characters */
  set limit(limit) {
    this.#limit = limit;
    this.#changed();
  }

  /** Starts a reply to a message. @param {Omit<Target, "kind">} target */
  reply(target) {
    if (this.#target?.kind === "edit") this.#cancel();
    this.#setTarget({ kind: "reply", ...target });
    this.#field.focus();
  }

  /** Starts editing a message. @param {{ id: string, text: string }} target */
  edit(target) {
    this.#setTarget({ kind: "edit", ...target });
    this.#field.focus();
  }

  /** Cancels the reply to a message that was deleted, or its edit. @param {string} id */
  messageDeleted(id) {
    if (this.#target?.id === id) this.#cancel();
  }

  #restore() {
    const draft = load(this.#draftKey);
    const { value } = this.#field; // Typed before the script ran, or restored by the browser.
    if (!value.includes(draft)) this.#field.value = value ? `${draft}\n${value}` : draft;
    const target = load(this.#targetKey);
    if (target) this.#setTarget(JSON.parse(target));
  }

  /** Stops replying or editing. The draft comes back as it was. */
  #cancel() {
    if (this.#target.kind === "edit") this.#field.value = load(this.#draftKey);
    this.#setTarget(null);
    this.#field.focus();
  }

  #setTarget(target) {
    const line = this.#form.querySelector(".target");
    this.#target = target;
    line.hidden = !target;
    const [title, text] = line.children;
    title.textContent = target?.kind === "edit" ? "Editing your message" : `Replying to ${target?.name}`;
    if (target?.tag) title.dataset.tag = target.tag;
    else delete title.dataset.tag;
    text.textContent = target?.line ?? "";
    if (target?.kind === "edit") this.#field.value = target.text;
    this.#changed();
  }

  #handleKey(event) {
    if (isComposing(event)) return;
    if (event.key === "Escape" && this.#target) {
      event.preventDefault();
      return this.#cancel();
    }
    if (event.key === "ArrowUp" && !event.altKey && !this.#field.value.trim() && !this.#target) {
      event.preventDefault();
      return this.dispatchEvent(new Event("editlast"));
    }
    if (event.key !== "Enter" || event.shiftKey || this.#touch.matches) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#field.value.trim();
    const target = this.#target;
    this.#field.focus();
    if (!text) return target?.kind === "edit" && toast("The message is empty. Delete it instead?");
    if (lengthOf(text) > this.#limit) return toast(`Messages can be at most ${this.#limit} characters long.`);
    if (target?.kind === "edit") {
      this.#cancel();
      return this.#edit(target.id, text);
    }
    this.#field.value = "";
    this.#setTarget(null);
    this.#send(text, target?.id);
  }

  #changed() {
    const { value } = this.#field;
    if (this.#target?.kind === "edit") this.#target.text = value;
    else save(this.#draftKey, value);
    save(this.#targetKey, this.#target ? JSON.stringify(this.#target) : "");
    const left = this.#limit - lengthOf(value.trim());
    const count = Math.abs(left);
    this.#counter.hidden = left > COUNTER_FROM;
    this.#counter.value = `${count} character${count === 1 ? "" : "s"} ${left < 0 ? "over" : "left"}`;
    this.#field.ariaInvalid = String(left < 0);
    this.#form.toggleAttribute("data-empty", !value.trim());
    this.#grow();
  }

  /** Fits the height of the field to its text in browsers without field-sizing. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.blockSize = "auto";
    this.#field.style.blockSize = `${this.#field.scrollHeight}px`;
  }
}
