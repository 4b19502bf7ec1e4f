import { Stopwatch } from "../page/time.js";

const OPEN_TIMEOUT = 15_000; // milliseconds to wait for the first frame
const PROBE_TIMEOUT = 5_000; // milliseconds to wait for a frame after a ping

/** Whether the browser can decompress frames, so that the server may compress long ones. */
export const canInflate = typeof DecompressionStream === "function";

/** @param {ArrayBuffer} data @returns {Promise<string>} */
function inflate(data) {
  return new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

/**
 * Socket is one WebSocket of the protocol burble.v1. It passes the server's frames to onFrame
 * in order. It calls onClose once if the WebSocket closes, a timeout expires, or a frame cannot
 * be decoded. After close(), it calls neither.
 *
 * @typedef {{ hasOpened: boolean, timedOut: boolean }} Closed whether the WebSocket was ever open, and whether a timeout expired
 */
export class Socket {
  #socket;
  #onFrame;
  #onClose;
  #isClosed = false;
  #hasOpened = false;
  #sinceReceived = new Stopwatch();
  #timer = 0;
  /** @type {(string | ArrayBuffer)[]} frames that are not decoded yet, oldest first */
  #queue = [];

  /**
   * @param {string} url
   * @param {{ WebSocket: typeof WebSocket, onFrame: (frame: object) => void, onClose: (closed: Closed) => void }} options
   */
  constructor(url, { WebSocket, onFrame, onClose }) {
    this.#onFrame = onFrame;
    this.#onClose = onClose;
    this.#socket = new WebSocket(url, "burble.v1");
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => (this.#hasOpened = true);
    this.#socket.onmessage = ({ data }) => this.#enqueue(data);
    this.#socket.onclose = () => this.#fail();
    this.#failAfter(OPEN_TIMEOUT);
  }

  /** @param {object} frame */
  send(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Sends a ping, and closes the socket if no frame arrives within PROBE_TIMEOUT. */
  probe() {
    if (this.#timer) return;
    this.send({ type: "ping" });
    this.#failAfter(PROBE_TIMEOUT);
  }

  /** @returns {number} milliseconds since the last frame */
  get idleTime() {
    return this.#sinceReceived.longest; // a socket rarely survives sleep
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }

  #fail(timedOut = false) {
    this.close();
    this.#onClose({ hasOpened: this.#hasOpened, timedOut });
  }

  #failAfter(milliseconds) {
    this.#timer = setTimeout(() => this.#fail(true), milliseconds);
  }

  #enqueue(data) {
    this.#sinceReceived = new Stopwatch();
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#queue.push(data);
    if (this.#queue.length === 1) this.#drain();
  }

  /** Decodes the queued frames in order. Decompression is asynchronous, so later frames wait for it. */
  async #drain() {
    for (; this.#queue.length; this.#queue.shift()) {
      const [data] = this.#queue;
      let frame;
      try {
        frame = JSON.parse(typeof data === "string" ? data : await inflate(data));
      } catch {
        // Handled below.
      }
      if (this.#isClosed) return;
      if (!frame) return this.#fail();
      this.#onFrame(frame);
    }
  }
}
