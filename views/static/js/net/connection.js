import { Chain } from "./chain.js";

const SILENCE = 30_000; // a socket silent for longer is not believed on waking
const ANSWER = 5_000; // how long a probe may go unanswered
const OPENING = 15_000; // how long a socket may take to say hello
const STEADY = 10_000; // a socket that lasted this long starts the backoff anew
const PACE = 100; // between two rooms that are only watched: frames are counted

/**
 * How long to wait before the next attempt: full jitter.
 * @param {number} attempt from 0
 * @param {() => number} random
 */
export function backoff(attempt, random = Math.random) {
  return random() * Math.min(30_000, 500 * 2 ** attempt);
}

const inflates = typeof DecompressionStream === "function";

/** The text of a message that the server compressed. @param {ArrayBuffer} packed */
function inflate(packed) {
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

/**
 * Connection keeps one WebSocket to the server and, beyond any socket, the
 * cursor reached in each followed room. Whatever ends a socket, the next one
 * goes on from the cursors: a lost socket loses nothing.
 *
 * When the chain of `entries` frames has a hole the socket is not believed: it is
 * dropped, and the room resumed from the cursor held.
 *
 * Events carry a `detail`: every frame of the server under the name of its type
 * (hello, followed, entries, stored, error, status, signal, present), and `state`
 * with "connecting", "catching" (connected, not yet up to date), "live", "offline" or
 * "asleep". What comes of rooms that are only watched is in `watched` events instead
 * of `followed` and `entries`, and has no part in the state.
 *
 * It knows no DOM: the page calls wake() and offline().
 */
export class Connection extends EventTarget {
  #url;
  #WebSocket;

  // What outlives a socket.
  /** @type {Map<string, string | null>} the cursor held, by room */
  #places = new Map();
  /** @type {Set<string>} those of them that are only watched */
  #watched = new Set();
  #attempt = 0;
  #offline = false;
  #retry = 0;
  #state = "";

  // What belongs to one socket: all of it is set in #reset, and nowhere else forgotten.
  #socket;
  #asked; // the follow in its address
  #unread; // what came and is not taken yet, in order
  #greeted;
  #steadySince;
  #heard;
  #deadline;
  #chain;
  #unasked;
  #pacer;

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
   * Follows a room from a cursor, or, when it is null, from its newest entries.
   * Following a room again moves to that cursor.
   * @param {string} room
   * @param {string | null} cursor
   */
  follow(room, cursor) {
    this.#places.set(room, cursor);
    if (this.#greeted) this.#sendFollow(room);
    else if (this.#asked?.room === room) this.#open();
    else this.#begin();
  }

  /**
   * Watches a room from a cursor on, without being there: for its counts. It comes
   * after those that are followed.
   * @param {string} room
   * @param {string | null} cursor null: from now on
   */
  watch(room, cursor) {
    if (this.#places.has(room)) return;
    this.#places.set(room, cursor);
    this.#watched.add(room);
    this.#unasked.push(room);
    if (this.#greeted) this.#watchNext();
    else this.#begin();
  }

  /** @param {string} room @returns {string | null} the cursor held */
  cursor(room) {
    return this.#places.get(room) ?? null;
  }

  /**
   * Sends a frame if there is a greeted socket; tells whether it did.
   * @param {object} frame
   * @returns {boolean}
   */
  send(frame) {
    if (!this.#greeted) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** To be called when the page is looked at again or the browser is online: the socket is checked. */
  wake() {
    const silent = Date.now() - this.#heard;
    if (this.#offline || !this.#socket || silent > SILENCE) {
      this.#offline = false;
      this.#attempt = 0;
      this.#open();
    } else if (silent > 1_000) {
      this.probe();
    }
  }

  /** Asks for any answer, and drops the socket when none comes in time. */
  probe() {
    if (!this.#deadline && this.send({ type: "ping" })) this.#expectWithin(ANSWER);
  }

  /** Somebody waits for the connection: tries at once what would be tried later. */
  hurry() {
    if (this.#retry) this.#open();
  }

  /** How long nothing was heard, in milliseconds. */
  get silence() {
    return Date.now() - this.#heard;
  }

  /** The browser says it is offline: lets go, until wake(). */
  offline() {
    this.#offline = true;
    this.#reset();
    this.#say("offline");
  }

  /** Lets the socket go, until wake(). @param {string} [state] what to call that */
  close(state = "connecting") {
    this.#reset();
    this.#say(state);
  }

  get state() {
    return this.#state;
  }

  #begin() {
    if (!this.#socket && !this.#retry && !this.#offline && this.#state !== "asleep") this.#open();
  }

  #open() {
    this.#reset();
    this.#say("connecting");
    const [room] = this.#followed;
    if (room) this.#asked = this.#ask(room);
    const socket = new this.#WebSocket(room ? `${this.#url}?${new URLSearchParams(this.#asked)}` : this.#url, "burble.v1");
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#expectWithin(OPENING);
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = () => this.#lost();
  }

  /** Forgets everything that belongs to one socket. */
  #reset() {
    if (this.#socket) {
      this.#socket.onmessage = this.#socket.onclose = null;
      this.#socket.close();
    }
    clearTimeout(this.#deadline);
    clearTimeout(this.#retry);
    clearTimeout(this.#pacer);
    this.#socket = null;
    this.#asked = null;
    this.#unread = [];
    this.#greeted = false;
    this.#steadySince = Infinity;
    this.#heard = Date.now();
    this.#deadline = 0;
    this.#retry = 0;
    this.#pacer = 0;
    this.#chain = new Chain();
    this.#unasked = [...this.#watched];
  }

  /** The socket ended or is not to be trusted: comes back after a while, from the cursors. */
  #lost() {
    if (Date.now() - this.#steadySince > STEADY) this.#attempt = 0;
    this.#reset();
    this.#say("connecting");
    this.#retry = setTimeout(() => this.#open(), backoff(this.#attempt++));
  }

  #expectWithin(milliseconds) {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lost(), milliseconds);
  }

  #receive(data) {
    this.#heard = Date.now();
    clearTimeout(this.#deadline);
    this.#deadline = 0;
    this.#unread.push(data);
    if (this.#unread.length === 1) this.#take(this.#unread);
  }

  /** Takes what came, one after the other: a long one is compressed, and the others wait for it. */
  async #take(unread) {
    for (; unread === this.#unread && unread.length; unread.shift()) {
      let frame = null;
      try {
        frame = JSON.parse(typeof unread[0] === "string" ? unread[0] : await inflate(unread[0]));
      } catch {
        // Not a frame: the socket is not believed.
      }
      if (unread !== this.#unread) return;
      if (!frame) return this.#lost();
      this.#hear(frame);
    }
  }

  #hear(frame) {
    switch (frame.type) {
      case "hello":
        this.#greeted = true;
        this.#emit(frame);
        if (this.#asked) this.#say("catching");
        for (const room of this.#followed) if (room !== this.#asked?.room) this.#sendFollow(room);
        return this.#watchNext();
      case "followed":
        return this.#start(frame);
      case "entries":
        return this.#entries(frame);
      case "error":
        if (!frame.key && this.#places.has(frame.room) && !this.#chain.has(frame.room)) {
          // The follow itself was refused: later, then.
          if (!this.#watched.has(frame.room)) return this.#lost();
          this.#unasked.push(frame.room);
          return this.#watchNext(Math.max(1_000, frame.retry_after_ms ?? 0));
        }
    }
    this.#emit(frame);
  }

  #sendFollow(room) {
    this.send({ type: "follow", ...this.#ask(room) });
    if (!this.#watched.has(room) && !this.#chain.has(room)) this.#say("catching");
  }

  /** What asks for a room from the cursor held on. */
  #ask(room) {
    const after = this.#places.get(room);
    this.#chain.ask(room, after);
    return {
      room,
      ...(this.#watched.has(room) ? { watch: true } : { html: true }),
      ...(inflates && { deflate: true }),
      ...(after ? { after } : this.#watched.has(room) && { last: 0 }),
    };
  }

  /** Asks for the next of the watched rooms, and after a while for those after it. */
  #watchNext(pause = 0) {
    if (pause) clearTimeout(this.#pacer);
    else if (this.#pacer || !this.#unasked.length) return;
    else this.#sendFollow(this.#unasked.shift());
    this.#pacer = setTimeout(() => {
      this.#pacer = 0;
      this.#watchNext();
    }, pause || PACE);
  }

  get #followed() {
    return [...this.#places.keys()].filter((room) => !this.#watched.has(room));
  }

  #start(frame) {
    if (!this.#places.has(frame.room)) return;
    if (!this.#chain.start(frame)) return this.#lost();
    this.#steadySince = Math.min(this.#steadySince, Date.now());
    this.#places.set(frame.room, frame.at);
    this.#emit(frame, this.#watched.has(frame.room) ? "watched" : frame.type);
    this.#progress();
  }

  #entries(frame) {
    if (!this.#places.has(frame.room)) return;
    if (!this.#chain.go(frame)) return this.#lost();
    this.#emit(frame, this.#watched.has(frame.room) ? "watched" : frame.type);
    this.#places.set(frame.room, frame.upto);
    this.#progress();
  }

  #progress() {
    this.#say(this.#chain.complete(this.#followed) ? "live" : "catching");
  }

  #say(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #emit(frame, type = frame.type) {
    this.dispatchEvent(new CustomEvent(type, { detail: frame }));
  }
}
