import { isHostChanged } from "../page/host.js";
import { load, save } from "../page/storage.js";
import { BLOCKED_KEY } from "./wake.js";

const REMEMBERED_FOR = 24 * 3_600_000; // milliseconds during which pages start with HTTP after a WebSocket was blocked
const FIRST_RETRY = 60_000; // milliseconds before the first attempt to open a WebSocket again
const MAX_RETRY = 600_000;
const RETRY_TIMEOUT = 15_000; // milliseconds that an attempt may take
const HEARTBEAT = 20_000; // milliseconds between the heartbeats of the server
const PONG = `{"type":"pong"}`;

let hasFallenBack = false;
let unopened = 0; // sockets in a row that did not open although the server was reachable

/**
 * Replaces WebSockets with HTTP requests if they are blocked between the browser and the server. Call it after
 * each socket that did not open, and when the page opens if a socket was blocked before. It takes them to be
 * blocked if the server is reachable, but a socket timed out before it opened, or two in a row failed to open.
 * It remembers that for 24 hours.
 * @param {import("./connection.js").Connection} connection @param {{ timedOut: boolean }} [closed] undefined when the page opens
 */
export async function fallBack(connection, closed) {
  if (hasFallenBack || isHostChanged(document.body.dataset, location)) return; // if the host has changed, the server would refuse messages over HTTP too
  if (Math.abs(Date.now() - load(BLOCKED_KEY)) > REMEMBERED_FOR) {
    if (!closed || !(await fetchServerTime())) return;
    connection.addEventListener("hello", () => (unopened = 0), { once: true });
    unopened += closed.timedOut ? 2 : 1;
    if (unopened < 2 || hasFallenBack) return;
  }
  hasFallenBack = true;
  save(BLOCKED_KEY, String(Date.now()));
  connection.setSocketClass(HTTPSocket);
  retrySocket(connection);
}

/** Returns the time of the server, in milliseconds since 1970, or false if the server is not reachable. */
const fetchServerTime = () => fetch("/healthz", { cache: "no-store" }).then(({ ok, headers }) => ok && (Date.parse(headers.get("Date")) || Date.now()), () => false);

/** Tries to open a WebSocket from time to time, and when the browser goes online, until one is not blocked. */
function retrySocket(connection, delay = FIRST_RETRY) {
  const retry = () => {
    clearTimeout(timer);
    removeEventListener("online", retry);
    const socket = new WebSocket(connection.url, "burble.v1");
    const timeout = setTimeout(() => socket.close(), RETRY_TIMEOUT);
    let isBlocked = true;
    socket.onmessage = () => {
      isBlocked = false;
      socket.close();
    };
    socket.onclose = () => {
      clearTimeout(timeout);
      if (isBlocked) return retrySocket(connection, Math.min(2 * delay, MAX_RETRY));
      hasFallenBack = false;
      unopened = 0;
      save(BLOCKED_KEY, "");
      connection.setSocketClass(WebSocket);
    };
  };
  const timer = setTimeout(retry, delay);
  addEventListener("online", retry);
}

/**
 * HTTPSocket has the parts of WebSocket that Socket uses. It receives the frames of one room in an endless
 * response, and sends each frame in its own request. It does not watch other rooms: until a WebSocket is open
 * again, their unread counts come from the list of rooms. It neither sends nor receives presence.
 */
export class HTTPSocket {
  onopen = null;
  onmessage = null;
  onclose = null;
  #aborter = new AbortController();
  #stream = new AbortController(); // ends the response that carries the frames
  #lastReceived = -Infinity;
  #isOpen = false;

  /** @param {string} url of /ws, with the first follow */
  constructor(url) {
    const follow = Object.fromEntries(new URL(url).searchParams);
    if (follow.room) this.#follow(follow);
    else this.#poll();
  }

  /** @param {string} text JSON of a frame */
  send(text) {
    const frame = JSON.parse(text);
    switch (frame.type) {
      case "follow":
        return frame.watch ? this.#watch(frame) : this.#follow(frame);
      case "ping":
        return performance.now() - this.#lastReceived < 2 * HEARTBEAT && this.#receive(PONG);
      case "typing":
      case "unfollow":
        return;
    }
    this.#post(frame, text);
  }

  close() {
    this.onmessage = this.onclose = null;
    this.#stream.abort();
    this.#aborter.abort();
  }

  #receive(data) {
    this.#lastReceived = performance.now();
    this.onmessage?.({ data });
  }

  #opened() {
    this.#isOpen = true;
    this.onopen?.();
  }

  async #follow({ room, after, last }) {
    this.#stream.abort();
    const { signal } = (this.#stream = new AbortController());
    const query = new URLSearchParams({ html: true, ...(after ? { after } : last !== undefined && { last }) });
    try {
      const response = await fetch(`/r/${room}/frames?${query}`, { cache: "no-store", signal });
      if (response.ok) {
        const isFirst = !this.#isOpen;
        if (isFirst) this.#opened();
        for await (const line of readLines(response.body)) {
          if (!line) this.#receive(PONG); // a heartbeat
          else if (isFirst || !line.startsWith(`{"type":"hello"`)) this.#receive(line);
        }
      }
    } catch {
      // The connection has ended.
    }
    if (!signal.aborted) this.onclose?.();
  }

  /** Regularly checks that the server is reachable. Used while no room is followed, as on the home page. */
  async #poll() {
    const { user, name } = document.body.dataset;
    for (let time; (time = await fetchServerTime()); ) {
      if (this.#isOpen) {
        this.#receive(PONG);
      } else {
        this.#opened();
        this.#receive(JSON.stringify({ type: "hello", user: user ? { id: user, name } : null, time, limits: { files: {} } }));
      }
      await new Promise((done) => setTimeout(done, HEARTBEAT));
      if (this.#aborter.signal.aborted) return;
    }
    this.onclose?.();
  }

  /** Confirms the request, but watches nothing. Connection keeps the cursor, so the next WebSocket resumes there. */
  #watch({ room, after }) {
    if (after) this.#receive(JSON.stringify({ type: "followed", room, state: "resumed", at: after, last: after }));
  }

  async #post({ type, room, key }, text) {
    const { signal } = this.#aborter;
    try {
      const response = await fetch(`/r/${room}/frames`, { method: "POST", headers: { "Content-Type": "application/json" }, body: text, signal });
      if (response.status === 204) return;
      const answer = await response.json();
      if (response.ok) return this.#receive(JSON.stringify(answer));
      const retry_after_ms = 1_000 * Number(response.headers.get("Retry-After"));
      this.#receive(JSON.stringify({ type: "error", ...answer.error, room, key, retry_after_ms }));
    } catch {
      // The outbox sends the frame again if it gets no reply.
    }
  }
}

/** Yields the lines of a response body as they arrive. @param {ReadableStream<Uint8Array>} body */
async function* readLines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines;
  }
}
