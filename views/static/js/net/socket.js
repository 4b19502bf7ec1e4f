import { Stopwatch } from "../page/time.js";
import { compareIDs, idOf } from "./id.js";

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
    return this.#sinceReceived.longest; // includes sleep, which a socket rarely survives
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

/**
 * GapDetector checks that the frames of one socket skip no entries: each `entries` frame of a
 * room must start at the cursor where the previous frame ended.
 *
 * It also tracks whether each room has caught up, which means that the server has sent all
 * entries stored before it confirmed the follow.
 */
export class GapDetector {
  /** @type {Map<string, string | null>} the cursor last requested, by room */
  #requested = new Map();
  /** @type {Map<string, string>} the cursor at which the next frame must start, by room */
  #expected = new Map();
  /** @type {Map<string, string>} ID of the last entry to catch up with, for each room that has not caught up */
  #target = new Map();

  /** Records a request to follow a room. @param {string} room @param {string | null} after cursor */
  request(room, after) {
    this.#requested.set(room, after);
  }

  /**
   * Checks a `followed` or `entries` frame, and returns false if it leaves a gap. A `followed` frame
   * leaves a gap if its state is resumed, but it starts after the requested cursor.
   * @param {{ type: string, room: string, state?: string, at?: string, last?: string, after?: string, upto?: string }} frame
   */
  check({ type, room, state, at, last, after, upto }) {
    const requested = this.#requested.get(room);
    const skips = state === "resumed" && requested && compareIDs(idOf(at), idOf(requested)) > 0;
    if (type === "followed" ? skips : after !== this.#expected.get(room)) return false;
    const cursor = at ?? upto;
    this.#expected.set(room, cursor);
    if (last) this.#target.set(room, idOf(last));
    const target = this.#target.get(room);
    if (target && compareIDs(idOf(cursor), target) >= 0) this.#target.delete(room);
    return true;
  }

  /** Reports whether the server has confirmed the follow of a room. @param {string} room */
  isFollowed(room) {
    return this.#expected.has(room);
  }

  /** Reports whether all of these rooms have caught up. @param {Iterable<string>} rooms */
  haveCaughtUp(rooms) {
    return [...rooms].every((room) => this.#expected.has(room) && !this.#target.has(room));
  }
}
