import { Stopwatch } from "../page/time.js";
import { canInflate, GapDetector, Socket } from "./socket.js";

const MAX_IDLE = 30_000; // milliseconds without a frame after which wake() replaces the socket instead of probing it
const STABLE_AFTER = 10_000; // milliseconds that a socket must stay open to reset the backoff
const WATCH_INTERVAL = 100; // milliseconds between requests to watch a room, because the server limits frames

/**
 * Returns the delay before an attempt to connect, in milliseconds: exponential, with full jitter.
 * @param {number} attempt from 0
 * @param {() => number} random
 */
export function backoff(attempt, random = Math.random) {
  return random() * Math.min(30_000, 500 * 2 ** attempt);
}

/**
 * Connection keeps one WebSocket open to the server. It remembers the cursor of each room, and
 * each new socket resumes from there, so a lost socket loses no entries. If a frame leaves a
 * gap, Connection replaces the socket.
 *
 * The *followed* room is the one on screen. Other rooms are *watched* for their unread counts:
 * the user is not shown as present there, and they do not affect the state.
 *
 * Connection dispatches each frame as an event of its type: hello, followed, entries, stored,
 * error, status, signal, present or closed. A room that is closed, or whose follow is refused
 * because the user may not see it, is no longer followed or watched. The followed and entries frames of watched rooms are
 * dispatched as `watched`. It also dispatches `state` with "connecting", "catching-up", "live",
 * "offline" or "asleep". The frame or state is in `detail`. It dispatches `unopened` if a socket
 * closes before it has opened.
 */
export class Connection extends EventTarget {
  /** @type {{ text: number, files?: object } | undefined} the limits in the last hello */
  limits;
  #url;
  #WebSocket;

  /** @type {Map<string, string | null>} by room; null before the first `followed` */
  #cursors = new Map();
  /** @type {Set<string>} */
  #watched = new Set();
  #attempt = 0;
  #isOffline = false;
  #retryTimer = 0;
  #state = "";
  #helloTime = 0; // the time of the server in the last hello
  #sinceHello = new Stopwatch();

  // The state of one socket, which #reset initializes.
  /** @type {Socket | null} */
  #socket;
  #urlRequest; // the follow request in the socket's URL
  #isReady; // whether hello has arrived
  #followedAt; // when the first `followed` arrived, by performance.now()
  #gapDetector;
  #watchQueue; // watched rooms that have not been requested
  #watchTimer;

  /**
   * @param {string} url the URL of /ws
   * @param {typeof WebSocket} [socketClass]
   */
  constructor(url, socketClass = globalThis.WebSocket) {
    super();
    this.#url = url;
    this.#WebSocket = socketClass;
    this.#reset();
  }

  /**
   * Follows a room from a cursor, or from its newest entries if the cursor is null. A second
   * call for a room moves to the new cursor. @param {string} room @param {string | null} cursor
   */
  follow(room, cursor) {
    this.#cursors.set(room, cursor);
    if (this.#isReady) this.#sendFollow(room);
    else if (this.#urlRequest?.room === room) this.#open();
    else this.#openIfIdle();
  }

  /** Watches a room from a cursor, or for new entries only if it is null. @param {string} room @param {string | null} cursor */
  watch(room, cursor) {
    if (this.#cursors.has(room)) return;
    this.#cursors.set(room, cursor);
    this.#watched.add(room);
    this.#watchQueue.push(room);
    if (this.#isReady) this.#watchNext();
    else this.#openIfIdle();
  }

  /** @param {string} room @returns {string | null} */
  cursor(room) {
    return this.#cursors.get(room) ?? null;
  }

  /** Sends a frame if hello has arrived, and reports whether it did. @param {object} frame @returns {boolean} */
  send(frame) {
    if (this.#isReady) this.#socket.send(frame);
    return this.#isReady;
  }

  /** Checks the socket, or opens one. Call it when the page becomes visible or the browser goes online. */
  wake() {
    if (this.#isOffline || !this.#socket || this.idleTime > MAX_IDLE) {
      this.#isOffline = false;
      this.#attempt = 0;
      this.#open();
    } else if (this.idleTime > 1_000) {
      this.probe();
    }
  }

  /** Sends a ping, and replaces the socket if no frame arrives in time. */
  probe() {
    if (this.#isReady) this.#socket.probe();
  }

  /** @returns {number} milliseconds since the last frame, 0 without a socket */
  get idleTime() {
    return this.#socket?.idleTime ?? 0;
  }

  /** Ends the wait before the next attempt to connect, if there is one. */
  retryNow() {
    if (this.#retryTimer) this.#open();
  }

  /**
   * @returns {number | undefined} the time of the server, in milliseconds since 1970; undefined before
   *   hello, and if the device may have slept since
   */
  get serverTime() {
    return this.#helloTime && this.#sinceHello.isExact ? this.#helloTime + this.#sinceHello.awake : undefined;
  }

  /** Replaces the socket, to get a new hello with the time of the server. */
  renew() {
    if (this.#isReady) this.#open();
  }

  /** Replaces the class of sockets, and the socket. @param {typeof WebSocket} socketClass has the parts of WebSocket that Socket uses */
  setSocketClass(socketClass) {
    this.#WebSocket = socketClass;
    this.#attempt = 0;
    if (this.#socket || this.#retryTimer) this.#open();
  }

  /** @returns {string} the URL of /ws */
  get url() {
    return this.#url;
  }

  /** Closes the socket until wake(). Call it when the browser goes offline. */
  offline() {
    this.#isOffline = true;
    this.close("offline");
  }

  /** Closes the socket until wake(). @param {string} [state] */
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
    if (room) this.#urlRequest = this.#makeRequest(room);
    this.#socket = new Socket(room ? `${this.#url}?${new URLSearchParams(this.#urlRequest)}` : this.#url, {
      WebSocket: this.#WebSocket,
      onFrame: (frame) => this.#handleFrame(frame),
      onClose: (closed) => {
        this.#reconnect();
        if (!closed.hasOpened) this.#emit("unopened", closed);
      },
    });
  }

  #reset() {
    this.#socket?.close();
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#watchTimer);
    this.#socket = null;
    this.#urlRequest = null;
    this.#isReady = false;
    this.#followedAt = Infinity;
    this.#retryTimer = 0;
    this.#watchTimer = 0;
    this.#gapDetector = new GapDetector();
    this.#watchQueue = [...this.#watched];
  }

  #reconnect() {
    if (performance.now() - this.#followedAt > STABLE_AFTER) this.#attempt = 0;
    this.close();
    this.#retryTimer = setTimeout(() => this.#open(), backoff(this.#attempt++));
  }

  #handleFrame(frame) {
    const { type, room } = frame;
    if (type === "followed" || type === "entries") return this.#handleEntries(frame);
    const isRefusal = type === "error" && !frame.key && this.#cursors.has(room) && !this.#gapDetector.isFollowed(room); // refuses to follow the room
    if ((type === "closed" && room) || (isRefusal && frame.code === "not_found")) {
      this.#cursors.delete(room);
      this.#watched.delete(room);
      return this.#emit("closed", { room, code: "removed", ...(!isRefusal && frame) });
    }
    if (isRefusal) {
      if (!this.#watched.has(room)) return this.#reconnect();
      this.#watchQueue.push(room);
      return this.#watchNext(Math.max(1_000, frame.retry_after_ms ?? 0));
    }
    if (type === "hello") {
      this.#isReady = true;
      this.limits = frame.limits;
      this.#helloTime = frame.time ?? Date.now(); // older releases send no time
      this.#sinceHello = new Stopwatch();
    }
    this.#emit(type, frame);
    if (type === "hello") this.#followAll();
  }

  /** Handles a `followed` or `entries` frame. */
  #handleEntries(frame) {
    const { type, room } = frame;
    const isFollowed = type === "followed";
    if (!this.#cursors.has(room)) return;
    if (!this.#gapDetector.check(frame)) return this.#reconnect();
    if (isFollowed) {
      this.#followedAt = Math.min(this.#followedAt, performance.now());
      this.#cursors.set(room, frame.at);
    }
    this.#emit(this.#watched.has(room) ? "watched" : type, frame);
    if (!isFollowed) this.#cursors.set(room, frame.upto); // after the listeners, which may need the previous cursor
    this.#setState(this.#gapDetector.haveCaughtUp(this.#followed) ? "live" : "catching-up");
  }

  #followAll() {
    if (this.#urlRequest) this.#setState("catching-up");
    for (const room of this.#followed) if (room !== this.#urlRequest?.room) this.#sendFollow(room);
    this.#watchNext();
  }

  #sendFollow(room) {
    this.send({ type: "follow", ...this.#makeRequest(room) });
    if (!this.#watched.has(room) && !this.#gapDetector.isFollowed(room)) this.#setState("catching-up");
  }

  /** Returns the fields of a follow request. */
  #makeRequest(room) {
    const after = this.#cursors.get(room);
    const isWatched = this.#watched.has(room);
    this.#gapDetector.request(room, after);
    return {
      room,
      ...(isWatched ? { watch: true } : { html: true }),
      ...(canInflate && { deflate: true }),
      ...(after ? { after } : isWatched && { last: 0 }),
    };
  }

  /** Requests the queued watched rooms, one every WATCH_INTERVAL, after an optional delay. */
  #watchNext(delay = 0) {
    if (delay) clearTimeout(this.#watchTimer);
    else if (this.#watchTimer || !this.#watchQueue.length) return;
    else this.#sendFollow(this.#watchQueue.shift());
    this.#watchTimer = setTimeout(() => {
      this.#watchTimer = 0;
      this.#watchNext();
    }, delay || WATCH_INTERVAL);
  }

  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#emit("state", state);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
