import { backoff } from "../net/connection.js";
import { keysWithPrefix, loadJSON } from "../page/storage.js";
import { deleteOtherFiles, getFile } from "./file-store.js";
import { OUTBOX_PREFIX } from "./outbox.js";

const STALL_TIMEOUT = 60_000; // milliseconds without progress after which an upload is restarted

/** The prefix of storage keys with the files of drafts. The user and the room follow. */
export const DRAFT_PREFIX = "burble:files:";

/**
 * @typedef {object} Attached a file that has not been sent; its bytes are in the browser's database
 * @property {string} id in this browser
 * @property {string} name
 * @property {string} type
 * @property {number} size
 * @property {number} [width] of a picture
 * @property {number} [height]
 * @property {string} [color] average color of a picture
 * @property {string} [alt]
 * @property {string} [uploaded] ID of the upload on the server
 */

/** Dispatches `change` when the state of an upload changes (detail: the ID of the file). */
export const uploads = new EventTarget();

/** @type {Map<string, Upload>} by ID of the file */
const running = new Map();

/** @type {Map<string, Promise<void>>} files that are still being prepared, by ID */
const preparing = new Map();

/** @type {Set<string>} idempotency keys of the messages whose files were uploaded again */
const repeated = new Set();

let queue = Promise.resolve(); // uploads run one at a time

/** Upload sends one file to the server until it is stored there or refused. */
class Upload {
  /** @type {"waiting" | "sending" | "stored" | "failed"} */
  state = "waiting";
  progress = 0; // from 0 to 1
  why = ""; // the reason for the failure
  id = ""; // of the upload on the server
  #aborter = new AbortController();
  #endPause = () => {};

  /** @param {string} room @param {Attached} file */
  constructor(room, file) {
    this.room = room;
    this.file = file;
    this.done = this.#run();
  }

  /** Ends the pause between two attempts. */
  retryNow() {
    this.#endPause();
  }

  abort() {
    this.#aborter.abort();
    this.#endPause();
  }

  async #run() {
    for (let attempt = 0; ; attempt++) {
      const result = await (queue = queue.then(() => this.#attempt().catch(() => ({ why: "This file can’t be read." }))));
      if (result.id || result.why) return this.#set(result.id ? { state: "stored", id: result.id, progress: 1 } : { state: "failed", why: result.why });
      this.#set({ state: "waiting", progress: 0 });
      await this.#pause(Math.max(result.wait ?? 0, backoff(attempt)));
    }
  }

  /** Returns the ID of the upload, why it failed, or how long to wait before the next attempt. @returns {Promise<{ id?: string, why?: string, wait?: number }>} */
  async #attempt() {
    const { signal } = this.#aborter;
    await preparing.get(this.file.id);
    const blob = await getFile(this.file.id);
    if (signal.aborted) return { why: "Canceled." };
    if (!blob) return { why: "This file is no longer on this device." };
    await blob.slice(0, 1).arrayBuffer(); // fails if the file has been moved or changed
    this.#set({ state: "sending" });
    const response = await post(`/r/${this.room}/files?${new URLSearchParams({ name: this.file.name })}`, blob, signal, (progress) => this.#set({ progress }));
    if (signal.aborted) return { why: "Canceled." };
    // If the room exists, the server runs an older release, which does not support uploads. The next attempt may reach another server.
    if ([404, 405].includes(response.status) && (await fetch(`/r/${this.room}/messages?limit=1`)).ok) return {};
    return resultOf(response);
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      this.#endPause = resolve;
      globalThis.addEventListener?.("online", resolve, { once: true });
      setTimeout(resolve, milliseconds);
    });
  }

  #set(fields) {
    Object.assign(this, fields);
    uploads.dispatchEvent(new CustomEvent("change", { detail: this.file.id }));
  }
}

/**
 * Interprets the response to an upload. @param {{ status: number, body?: any, retryAfter?: number }} response status is 0 if there was none
 * @returns {{ id?: string, why?: string, wait?: number }}
 */
export function resultOf({ status, body, retryAfter = 0 }) {
  const { code, message } = body?.error ?? {};
  if (body?.id) return { id: body.id };
  if (["rate_limited", "unavailable"].includes(code) || (!code && (status === 0 || status === 408 || status === 429 || status >= 500))) return { wait: 1_000 * retryAfter };
  return { why: message ?? (status === 413 ? "This file is too large." : `The server refused the file (${status}).`) };
}

/** Sends a blob. @returns {Promise<Parameters<typeof resultOf>[0]>} */
function post(url, blob, signal, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // fetch does not report the progress of an upload
    let timer = 0;
    const abort = () => request.abort();
    const finish = (result) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      resolve(result);
    };
    const restartTimer = () => {
      clearTimeout(timer);
      timer = setTimeout(abort, STALL_TIMEOUT);
    };
    request.open("POST", url);
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => {
      restartTimer();
      onProgress(loaded / total);
    };
    request.onload = () => finish({ status: request.status, body: request.response, retryAfter: Number(request.getResponseHeader("Retry-After")) });
    request.onerror = request.onabort = () => finish({ status: 0 });
    signal.addEventListener("abort", abort);
    restartTimer();
    request.send(blob);
  });
}

/** Returns the upload of a file, if it has been started. @param {string} id */
export const uploadOf = (id) => running.get(id);

/** Starts the upload of a file, or the next attempt if it is waiting or has failed. @param {string} room @param {Attached} file @returns {Upload} */
export function startUpload(room, file) {
  const known = running.get(file.id);
  known?.retryNow();
  if (known && known.state !== "failed") return known;
  const started = new Upload(room, file);
  running.set(file.id, started);
  return started;
}

/** Makes the upload of a file wait until it has been prepared. @param {string} id @param {Promise<void>} done */
export function waitFor(id, done) {
  preparing.set(id, done.finally(() => preparing.delete(id)));
}

/**
 * Uploads the files of a message. Returns the fields of its item in the outbox that have changed.
 * @param {string} room @param {import("./outbox.js").Item} item
 * @param {boolean} [again] whether the server no longer has the files, because they were not sent for a day
 */
export async function upload(room, { key, attached }, again) {
  if (again) {
    if (repeated.has(key)) return { state: "failed", why: "The server no longer has the files." };
    repeated.add(key);
    for (const { id } of attached) running.delete(id);
  }
  const started = attached.map((file) => (file.uploaded && !again ? { id: file.uploaded } : startUpload(room, file)));
  const files = [];
  for (const [i, one] of started.entries()) {
    await one.done;
    const { name, alt } = attached[i];
    if (one.why) return { state: "failed", why: `${name}: ${one.why}` };
    files.push({ id: one.id, alt: alt || undefined });
  }
  return { files };
}

/** Deletes the files that belong to no waiting message or draft, and aborts their uploads. */
export async function sweep() {
  const values = [OUTBOX_PREFIX, DRAFT_PREFIX].flatMap(keysWithPrefix).map(loadJSON);
  const kept = new Set(values.flatMap((value) => value?.attached ?? (Array.isArray(value) ? value : [])).map(({ id }) => id));
  for (const [id, started] of running) {
    if (kept.has(id)) continue;
    started.abort();
    running.delete(id);
  }
  await deleteOtherFiles(kept);
}
