import { GapDetector } from "./gap-detector.js";
import { inflates, Socket } from "./socket.js";

const MAX_SILENCE = 30_000; // milliseconds without a frame after which wake() replaces the socket without a probe
const STEADY = 10_000; // milliseconds after which a socket that is still open resets the backoff
const WATCH_PACE = 100; // milliseconds between requests for watched rooms: the server limits frames

/**
 * Returns how long to wait before an attempt, with full jitter.
 * @param {number} attempt from 0
 * @param {() => number} random
 */
export function backoff(attempt, random = Math.random) {
  return random() * Math.min(30_000, 500 * 2 ** attempt);
}

/**
 * Connection keeps one WebSocket open to the server and, beyond any socket, the cursor
 * reached in each room. A new socket resumes from the cursors, so losing one loses no entry.
 * If frames leave a gap, the socket is replaced and the room resumes from its cursor.
 *
 * A *followed* room is the one on screen. A *watched* room is followed for its unread
 * counts alone: the user is not shown as present there, and it does not affect the state.
 *
 * Events carry a `detail`. Each frame of the server is dispatched under its type
 * (hello, followed, entries, stored, error, status, signal, present), but `followed` and
 * `entries` of watched rooms as `watched`. `state` is dispatched with "connecting",
 * "catching" (connected, not caught up yet), "live", "offline" or "asleep".
 *
 * It does not use the DOM: the page calls wake() and offline().
 */
export class Connection extends EventTarget {
  #url;
  #WebSocket;

  // State that outlives a socket.
  /** @type {Map<string, string | null>} the cursor reached, by room */
  #cursors = new Map();
  /** @type {Set<string>} the rooms that are only watched */
  #watched = new Set();
  #attempt = 0;
  #isOffline = false;
  #retryTimer = 0;
  #state = "";

  // State of one socket. #reset initialises all of it.
  /** @type {Socket | null} */
  #socket;
  #query; // the follow request in the socket's URL
  #isGreeted; // whether hello has arrived
  #steadySince;
  #gaps;
  #unrequested; // watched rooms still to be requested
  #watchTimer;

  /**
   * @param {string} url of /ws
   * @param {typeof WebSocket} [socketClass]
   */
  constructor(url, socketClass = globalThis.WebSocket) {
    super();
    this.#url = url;
    this.#WebSocket = socketClass;
    this.#reset();
  }

  /**
   * Follows a room from a cursor or, with null, from its newest entries. Following a room
   * again moves to the new cursor.
   * @param {string} room
   * @param {string | null} cursor
   */
  follow(room, cursor) {
    this.#cursors.set(room, cursor);
    if (this.#isGreeted) this.#sendFollow(room);
    else if (this.#query?.room === room) this.#open();
    else this.#openIfIdle();
  }

  /**
   * Watches a room from a cursor or, with null, from now on. Followed rooms come first.
   * @param {string} room
   * @param {string | null} cursor
   */
  watch(room, cursor) {
    if (this.#cursors.has(room)) return;
    this.#cursors.set(room, cursor);
    this.#watched.add(room);
    this.#unrequested.push(room);
    if (this.#isGreeted) this.#watchNext();
    else this.#openIfIdle();
  }

  /** @param {string} room @returns {string | null} the cursor reached */
  cursor(room) {
    return this.#cursors.get(room) ?? null;
  }

  /**
   * Sends a frame if a socket is open and greeted, and reports whether it did.
   * @param {object} frame
   * @returns {boolean}
   */
  send(frame) {
    if (this.#isGreeted) this.#socket.send(frame);
    return this.#isGreeted;
  }

  /** Checks the socket or opens one. The page calls it when it becomes visible or goes online. */
  wake() {
    if (this.#isOffline || !this.#socket || this.silence > MAX_SILENCE) {
      this.#isOffline = false;
      this.#attempt = 0;
      this.#open();
    } else if (this.silence > 1_000) {
      this.probe();
    }
  }

  /** Sends a ping, and replaces the socket if nothing is received in time. */
  probe() {
    if (this.#isGreeted) this.#socket.probe();
  }

  /** @returns {number} milliseconds since the last frame, 0 without a socket */
  get silence() {
    return this.#socket?.silence ?? 0;
  }

  /** Skips the wait before the next attempt: the user is waiting. */
  hurry() {
    if (this.#retryTimer) this.#open();
  }

  /** Closes the socket until wake(): the browser is offline. */
  offline() {
    this.#isOffline = true;
    this.close("offline");
  }

  /** Closes the socket until wake(). @param {string} [state] to report */
  close(state = "connecting") {
    this.#reset();
    this.#setState(state);
  }

  get state() {
    return this.#state;
  }

  get #followed() {
    return [...this.#cursors.keys()].filter((room) => !this.#watched.has(room));
  }

  #openIfIdle() {
    if (!this.#socket && !this.#retryTimer && !this.#isOffline && this.#state !== "asleep") this.#open();
  }

  #open() {
    this.close();
    const [room] = this.#followed;
    if (room) this.#query = this.#request(room);
    this.#socket = new Socket(room ? `${this.#url}?${new URLSearchParams(this.#query)}` : this.#url, {
      WebSocket: this.#WebSocket,
      receive: (frame) => this.#receive(frame),
      lost: () => this.#reconnect(),
    });
  }

  #reset() {
    this.#socket?.close();
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#watchTimer);
    this.#socket = null;
    this.#query = null;
    this.#isGreeted = false;
    this.#steadySince = Infinity;
    this.#retryTimer = 0;
    this.#watchTimer = 0;
    this.#gaps = new GapDetector();
    this.#unrequested = [...this.#watched];
  }

  /** Replaces a socket that was lost or cannot be trusted, after the backoff. */
  #reconnect() {
    if (Date.now() - this.#steadySince > STEADY) this.#attempt = 0;
    this.close();
    this.#retryTimer = setTimeout(() => this.#open(), backoff(this.#attempt++));
  }

  #receive(frame) {
    const { type, room } = frame;
    if (type === "followed" || type === "entries") return this.#advance(frame);
    if (type === "error" && !frame.key && this.#cursors.has(room) && !this.#gaps.has(room)) {
      // The server refused to follow the room. Retry later.
      if (!this.#watched.has(room)) return this.#reconnect();
      this.#unrequested.push(room);
      return this.#watchNext(Math.max(1_000, frame.retry_after_ms ?? 0));
    }
    if (type === "hello") this.#isGreeted = true;
    this.#emit(type, frame);
    if (type === "hello") this.#followAll();
  }

  #advance(frame) {
    const { type, room } = frame;
    const isStart = type === "followed";
    if (!this.#cursors.has(room)) return;
    if (!(isStart ? this.#gaps.start(frame) : this.#gaps.advance(frame))) return this.#reconnect();
    if (isStart) {
      this.#steadySince = Math.min(this.#steadySince, Date.now());
      this.#cursors.set(room, frame.at);
    }
    this.#emit(this.#watched.has(room) ? "watched" : type, frame);
    if (!isStart) this.#cursors.set(room, frame.upto); // After the listeners, which may use the cursor before these entries.
    this.#setState(this.#gaps.caughtUp(this.#followed) ? "live" : "catching");
  }

  #followAll() {
    if (this.#query) this.#setState("catching");
    for (const room of this.#followed) if (room !== this.#query?.room) this.#sendFollow(room);
    this.#watchNext();
  }

  #sendFollow(room) {
    this.send({ type: "follow", ...this.#request(room) });
    if (!this.#watched.has(room) && !this.#gaps.has(room)) this.#setState("catching");
  }

  /** Returns the parameters that follow a room from its cursor. */
  #request(room) {
    const after = this.#cursors.get(room);
    const isWatched = this.#watched.has(room);
    this.#gaps.request(room, after);
    return {
      room,
      ...(isWatched ? { watch: true } : { html: true }),
      ...(inflates && { deflate: true }),
      ...(after ? { after } : isWatched && { last: 0 }),
    };
  }

  /** Requests the next watched room, and the ones after it at WATCH_PACE. @param {number} [pause] before the next */
  #watchNext(pause = 0) {
    if (pause) clearTimeout(this.#watchTimer);
    else if (this.#watchTimer || !this.#unrequested.length) return;
    else this.#sendFollow(this.#unrequested.shift());
    this.#watchTimer = setTimeout(() => {
      this.#watchTimer = 0;
      this.#watchNext();
    }, pause || WATCH_PACE);
  }

  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
