import { load, loadJSON, save } from "../page/storage.js";
import { toast } from "../page/status-line.js";

/**
 * Reports whether an input method handles the key to compose a word. Safari ends the composition
 * before it dispatches the key that ends it, but gives that key the keyCode 229.
 * @param {KeyboardEvent} event
 */
export const isComposing = ({ isComposing, keyCode }) => isComposing || keyCode === 229;

const COUNTER_THRESHOLD = 200; // characters left at which the counter appears

/** Returns the length of text in code points, as the server counts it. @param {string} text */
const lengthOf = (text) => [...text].length;

/** Returns a text without empty lines around it, and without spaces at its end. The first line may be indented code. @param {string} text */
const trim = (text) => text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();

/**
 * @typedef {object} Target the message that the user is replying to or editing
 * @property {"reply" | "edit"} kind
 * @property {string} id entry ID
 * @property {string} [name] name of the author (reply)
 * @property {string} [tag] tag of that name, if it has one (reply)
 * @property {string} [line] first line of the message (reply)
 * @property {string} [text] edited text (edit)
 */

/**
 * Composer is the form for writing messages. It stores the user's draft for the room, and
 * separately the target, which includes the text of an edit. The composer is never disabled,
 * because messages wait in the outbox.
 *
 * Events: `editlast` when the user wants to edit their last message; `compose` before a message is sent (detail: its
 * fields, to which listeners add its files and its preview).
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
  #dismissToast = () => {};
  #touch = matchMedia("(pointer: coarse)");

  /**
   * @param {HTMLFormElement} form
   * @param {{ room: string, user: string, limit: number, send: (message: Partial<import("../offline/outbox.js").Item>) => void,
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
    // If another tab has sent the draft, this tab still shows it and saves it again.
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

  /** @returns {Target | null} */
  get target() {
    return this.#target;
  }

  /** Cancels a reply to a deleted message, or an edit of it. @param {string} id */
  messageDeleted(id) {
    if (this.#target?.id === id) this.#cancel();
  }

  #restore() {
    const draft = load(this.#draftKey);
    const { value } = this.#field; // text that the user typed before the script ran, or that the browser restored
    if (!value.includes(draft)) this.#field.value = value ? `${draft}\n${value}` : draft;
    const target = loadJSON(this.#targetKey);
    if (target) this.#setTarget(target);
  }

  /** Cancels the reply or edit. After an edit, restores the draft. */
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
    const text = trim(this.#field.value);
    const target = this.#target;
    this.#field.focus();
    if (this.#problem) this.#dismissToast = toast(this.#problem);
    if (this.#problem) return;
    if (target?.kind === "edit") {
      this.#cancel();
      return this.#edit(target.id, text);
    }
    const message = { text, reply_to: target?.id };
    this.dispatchEvent(new CustomEvent("compose", { detail: message }));
    if (!text && !message.attached) return;
    this.#field.value = "";
    this.#setTarget(null);
    this.#send(message);
  }

  /** Returns why the text cannot be sent, or "". */
  get #problem() {
    const text = this.#field.value.trim();
    if (!text && this.#target?.kind === "edit") return "The message is empty. Delete it instead?";
    return lengthOf(text) > this.#limit ? `Messages can be at most ${this.#limit} characters long.` : "";
  }

  #changed() {
    const { value } = this.#field;
    if (!this.#problem) this.#dismissToast();
    if (this.#target?.kind === "edit") this.#target.text = value;
    else save(this.#draftKey, value);
    save(this.#targetKey, this.#target ? JSON.stringify(this.#target) : "");
    const left = this.#limit - lengthOf(trim(value));
    const count = Math.abs(left);
    this.#counter.hidden = left > COUNTER_THRESHOLD;
    this.#counter.value = `${count} character${count === 1 ? "" : "s"} ${left < 0 ? "over" : "left"}`;
    this.#field.ariaInvalid = String(left < 0);
    this.#form.toggleAttribute("data-empty", !value.trim());
    this.#grow();
  }

  /** Adjusts the height of the field to its text in browsers without field-sizing. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.blockSize = "auto";
    this.#field.style.blockSize = `${this.#field.scrollHeight}px`;
  }
}
