import { formatSize, isPicture, extensionOf, stylesheet } from "../messages/file-format.js";
import "../messages/files.js"; // needed to show the message, even if the connection is lost before it is sent
import "../messages/local-files.js";
import { newKey } from "../net/id.js";
import { getFile, putFile } from "../offline/file-store.js";
import { DRAFT_PREFIX, startUpload, sweep, uploadOf, uploads, waitFor } from "../offline/uploads.js";
import { make } from "../page/make.js";
import { toast } from "../page/status-line.js";
import { loadJSON, save } from "../page/storage.js";
import { scalePicture } from "./scale-picture.js";

const DRAG_TIMEOUT = 300; // milliseconds without a dragover event after which nothing is being dragged
const MAX_ALT = 500; // characters; the same as on the server

await stylesheet;

/** @type {Attachments | undefined} */
let attachments;

/**
 * Attaches files to the message in the composer, and shows them above it. If `files` is empty, shows where to drop files.
 * @param {File[]} files
 * @param {{ room: string, me: { id: string }, composer: import("./composer.js").Composer }} options
 */
export function attach(files, options) {
  const isFirst = !attachments;
  attachments ??= new Attachments(options);
  if (files.length) attachments.add(files);
  else if (!isFirst || !attachments.count) attachments.showDropTarget();
}

/**
 * Returns the reason why a file cannot be attached, or "".
 * @param {{ name: string, size: number, type: string }} file
 * @param {{ picture: number, file: number, count: number }} limits
 * @param {number} count of the files that are already attached
 */
export function problemOf({ name, size, type }, limits, count) {
  if (count >= limits.count) return `A message can have at most ${limits.count} files.`;
  if (!size) return `${name} is empty.`;
  // A picture may become small enough by scaling.
  if (!isPicture(type) && size > limits.file) return `${name} is too large (${formatSize(size)}). Files can be at most ${formatSize(limits.file)}.`;
  return "";
}

/**
 * Attachments are the files of the message in the composer. Each upload starts as soon as its file is attached. The draft
 * stores their names and descriptions, and file-store.js their bytes.
 */
class Attachments {
  /** @type {import("../offline/uploads.js").Attached[]} */
  #files = [];
  #room;
  #key;
  #limits = JSON.parse(document.body.dataset.files);
  #form = document.getElementById("composer");
  #list = make("ul", { className: "attached", ariaLabel: "Attached files" });
  /** @type {Map<string, HTMLElement>} by ID of the file */
  #rows = new Map();
  #dropTarget = make("p", { className: "drop", hidden: true });
  #dragTimer = 0;

  constructor({ room, me, composer }) {
    this.#room = room;
    this.#key = `${DRAFT_PREFIX}${me.id}:${room}`;
    this.#form.querySelector(".target").after(this.#list);
    this.#dropTarget.textContent = "Drop files here to attach them";
    document.querySelector("main").append(this.#dropTarget);
    composer.addEventListener("compose", ({ detail }) => this.#moveTo(detail));
    uploads.addEventListener("change", ({ detail: id }) => this.#updateRow(id));
    addEventListener("storage", ({ key }) => key === this.#key && this.#restore()); // another tab has changed the draft
    this.#restore();
    for (const file of this.#files) if (!file.uploaded) startUpload(room, file);
    sweep();
  }

  get count() {
    return this.#files.length;
  }

  /** @param {File[]} added */
  add(added) {
    this.#hideDropTarget();
    for (const input of this.#form.querySelectorAll("[type=file]")) input.value = ""; // so that the same file can be chosen again
    const problems = new Set();
    for (const file of added) {
      const name = file.name || "file";
      const problem = problemOf({ name, size: file.size, type: file.type }, this.#limits, this.#files.length);
      if (problem) problems.add(problem);
      else this.#addFile(file, name);
    }
    if (problems.size) toast([...problems].join(" "));
    this.#changed();
    this.#form.elements.text.focus();
  }

  showDropTarget() {
    this.#dropTarget.hidden = false;
    clearTimeout(this.#dragTimer);
    this.#dragTimer = setTimeout(() => this.#hideDropTarget(), DRAG_TIMEOUT);
  }

  #hideDropTarget() {
    this.#dropTarget.hidden = true;
  }

  #addFile(file, name) {
    const entry = { id: newKey(), name, type: file.type, size: file.size };
    this.#files.push(entry);
    const ready = this.#prepare(entry, file);
    waitFor(entry.id, ready);
    ready.then(() => this.#files.includes(entry) && startUpload(this.#room, entry));
  }

  /** Stores a file, and scales it if it is a picture. */
  async #prepare(entry, file) {
    this.#save(); // before the bytes are stored, so that no other tab sweeps them
    const isStored = await putFile(entry.id, file);
    if (!isStored) toast("This browser can’t store files right now. Keep this page open until they are sent.");
    const picture = isPicture(file.type) && (await scalePicture(file, this.#limits.picture).catch(() => undefined));
    if (picture) {
      const { blob, ...size } = picture;
      Object.assign(entry, size, { size: blob.size, type: blob.type });
      if (blob.type !== file.type) entry.name = `${entry.name.replace(/\.[^.]*$/, "")}.${blob.type === "image/png" ? "png" : "jpg"}`;
      if (blob !== file) await putFile(entry.id, blob);
    }
    const limit = picture ? this.#limits.picture : this.#limits.file;
    if (entry.size > limit && this.#files.includes(entry)) {
      toast(`${entry.name} is too large (${formatSize(entry.size)}). ${picture ? "Pictures" : "Files"} can be at most ${formatSize(limit)}.`);
      this.#remove(entry);
    }
    this.#changed();
  }

  /** Shows the files of the stored draft. */
  #restore() {
    this.#files = (loadJSON(this.#key) ?? []).map((file) => this.#files.find(({ id }) => id === file.id) ?? file);
    this.#show();
  }

  /** Moves the files to a message that is being sent. */
  #moveTo(message) {
    if (!this.#files.length) return;
    message.attached = this.#files;
    this.#files = [];
    queueMicrotask(() => this.#changed()); // after the message is in the outbox, so that no other tab sweeps the files
  }

  #remove(file) {
    this.#files = this.#files.filter((other) => other !== file);
    this.#changed();
    sweep();
  }

  #changed() {
    this.#save();
    this.#show();
  }

  #save() {
    save(this.#key, this.#files.length ? JSON.stringify(this.#files) : "");
  }

  #show() {
    for (const [id, row] of this.#rows) {
      if (this.#files.some((file) => file.id === id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const file of this.#files) {
      if (!this.#rows.has(file.id)) this.#rows.set(file.id, this.#list.appendChild(this.#makeRow(file)));
      this.#updateRow(file.id);
    }
    this.#list.hidden = !this.#files.length;
    this.#form.elements.text.required = !this.#files.length;
  }

  #makeRow(file) {
    const row = make("li", { translate: false });
    const preview = make("b", { textContent: extensionOf(file.name), ariaHidden: "true" });
    const name = make("span", { className: "name", textContent: file.name, dir: "auto", title: file.name });
    const alt = make("input", { type: "text", value: file.alt ?? "", placeholder: "Describe the picture", ariaLabel: `Description of ${file.name}`, maxLength: MAX_ALT, dir: "auto" });
    const retry = make("button", { type: "button", className: "secondary", name: "retry", textContent: "Retry", ariaLabel: `Retry ${file.name}` });
    const remove = make("button", { type: "button", className: "secondary", name: "remove", textContent: "✕", title: "Remove", ariaLabel: `Remove ${file.name}` });
    alt.hidden = !isPicture(file.type);
    alt.addEventListener("input", () => {
      file.alt = alt.value.trim();
      this.#save();
    });
    alt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.#form.elements.text.focus();
    });
    retry.addEventListener("click", () => startUpload(this.#room, file));
    remove.addEventListener("click", () => {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      (next?.querySelector("[name=remove]") ?? this.#form.elements.text).focus();
      this.#remove(file);
    });
    row.append(preview, name, make("span", { className: "state", role: "status" }), make("progress", { ariaLabel: `Uploading ${file.name}` }), alt, retry, remove);
    if (isPicture(file.type)) this.#showPicture(file, preview);
    return row;
  }

  async #showPicture({ id }, preview) {
    const blob = await getFile(id);
    if (!blob) return;
    const img = make("img", { alt: "" });
    img.src = URL.createObjectURL(blob);
    await img.decode().then(() => preview.replaceChildren(img), () => {});
    URL.revokeObjectURL(img.src);
  }

  /** Shows the state of the upload of a file. */
  #updateRow(id) {
    const row = this.#rows.get(id);
    const file = this.#files.find((one) => one.id === id);
    if (!row || !file) return;
    const { state = "waiting", progress = 0, why, id: uploaded } = uploadOf(id) ?? {};
    if (uploaded && !file.uploaded) {
      file.uploaded = uploaded;
      this.#save();
    }
    const isStored = Boolean(file.uploaded);
    const isPending = !isStored && state !== "failed";
    const text = state === "failed" ? why : isPending && !navigator.onLine ? "waits until you’re online" : "";
    row.querySelector(".state").textContent = [formatSize(file.size), text].filter(Boolean).join(" · ");
    row.toggleAttribute("data-failed", state === "failed");
    row.querySelector("progress").hidden = !isPending;
    row.querySelector("progress").value = progress;
    row.querySelector("[name=retry]").hidden = state !== "failed";
  }
}
