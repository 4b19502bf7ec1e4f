const OPEN_TIMEOUT = 15_000; // milliseconds until the first frame
const PROBE_TIMEOUT = 5_000; // milliseconds until a frame after a ping

/** Whether the server may compress long frames. */
export const inflates = typeof DecompressionStream === "function";

/** @param {ArrayBuffer} data @returns {Promise<string>} */
function inflate(data) {
  return new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

/**
 * Socket is one WebSocket of the protocol burble.v1. It hands on the server's frames in
 * order and reports once when the socket is of no more use: it closed, a timeout passed, or
 * a frame could not be read. After close() it reports nothing.
 */
export class Socket {
  #socket;
  #receive;
  #lost;
  #closed = false;
  #lastReceived = Date.now();
  #timeout = 0;
  /** @type {(string | ArrayBuffer)[]} received and not decoded yet, oldest first */
  #queue = [];

  /**
   * @param {string} url
   * @param {{ WebSocket: typeof WebSocket, receive: (frame: object) => void, lost: () => void }} options
   */
  constructor(url, { WebSocket, receive, lost }) {
    this.#receive = receive;
    this.#lost = lost;
    this.#socket = new WebSocket(url, "burble.v1");
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = ({ data }) => this.#enqueue(data);
    this.#socket.onclose = () => this.#fail();
    this.#failAfter(OPEN_TIMEOUT);
  }

  /** @param {object} frame */
  send(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Sends a ping, and gives up on the socket if nothing is received in time. */
  probe() {
    if (this.#timeout) return;
    this.send({ type: "ping" });
    this.#failAfter(PROBE_TIMEOUT);
  }

  /** @returns {number} milliseconds since the last frame */
  get silence() {
    return Date.now() - this.#lastReceived;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timeout);
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }

  #fail() {
    this.close();
    this.#lost();
  }

  #failAfter(milliseconds) {
    this.#timeout = setTimeout(() => this.#fail(), milliseconds);
  }

  #enqueue(data) {
    this.#lastReceived = Date.now();
    clearTimeout(this.#timeout);
    this.#timeout = 0;
    this.#queue.push(data);
    if (this.#queue.length === 1) this.#decode();
  }

  /** Passes on queued frames in order. Inflating is asynchronous, so later frames wait for it. */
  async #decode() {
    for (; this.#queue.length; this.#queue.shift()) {
      const [data] = this.#queue;
      let frame;
      try {
        frame = JSON.parse(typeof data === "string" ? data : await inflate(data));
      } catch {
        // Not a frame.
      }
      if (this.#closed) return;
      if (!frame) return this.#fail();
      this.#receive(frame);
    }
  }
}
