const TOAST_DURATION = 4_000; // milliseconds

/**
 * @typedef {object} Facts
 * @property {"connecting" | "catching-up" | "live" | "offline" | "asleep"} connection
 * @property {string} [blocked] why the server refuses to connect, or ""
 * @property {number} behind entries that have not arrived, or 0 if unknown
 * @property {boolean} storageAway whether Redis does not answer the server
 * @property {"" | "away" | "full"} refusal why the server refuses messages although the page is connected
 * @property {number} waiting items waiting to be sent, in all rooms
 * @property {number} failed items that were not sent, in this room
 * @property {string} failedRoom a description of another room with an item that was not sent, or ""
 * @property {boolean} attached whether the newest message is in the page
 */

/**
 * Returns the text of the status line. The delay is how long, in milliseconds, the state must
 * last before the text is shown, so that brief interruptions are not announced.
 * @param {Facts} facts
 * @returns {{ state: string, text: string, delay: number }}
 */
export function statusOf({ connection, behind, storageAway, refusal, waiting, failed, failedRoom, attached, blocked }) {
  const withWaiting = (state, text, delay = 0) => ({ state, text: waiting ? `${text}, ${waiting} unsent` : text, delay });
  if (connection === "offline") return withWaiting("offline", "Offline");
  if (connection === "asleep") return withWaiting("asleep", "Paused");
  if (connection === "connecting") return withWaiting("connecting", blocked || (waiting ? "Connecting" : "Connecting…"), 600);
  if (refusal === "full") return withWaiting("full", "Chat storage is full");
  if (storageAway || refusal === "away") return withWaiting("away", "Chat storage is down");
  if (connection === "catching-up" && behind) return withWaiting("catching-up", `Catching up, ${behind} to go`, 400);
  if (connection === "catching-up") return withWaiting("catching-up", waiting ? "Catching up" : "Catching up…", 400);
  if (waiting) return { state: "sending", text: waiting === 1 ? "Sending…" : `Sending ${waiting}…`, delay: 1_000 };
  if (failed) return { state: "failed", text: failed === 1 ? "1 message not sent" : `${failed} messages not sent`, delay: 0 };
  if (failedRoom) return { state: "failed", text: `A message in ${failedRoom} was not sent`, delay: 0 };
  if (!attached) return { state: "older", text: "Viewing older messages", delay: 0 };
  return { state: "live", text: "Up to date", delay: 0 };
}

/** StatusLine shows whether the page is up to date. */
export class StatusLine {
  #element;
  /** @type {Facts} */
  #facts = { connection: "connecting", behind: 0, storageAway: false, refusal: "", waiting: 0, failed: 0, failedRoom: "", attached: true };
  #latest = { state: "", text: "" }; // the status to show when the timer fires
  #shown = ""; // not read from the element, which the browser may have translated
  #timer = 0;

  /** @param {HTMLElement} element with role=status */
  constructor(element) {
    this.#element = element;
    this.update({});
  }

  /** @param {Partial<Facts>} facts that may have changed */
  update(facts) {
    Object.assign(this.#facts, facts);
    const { state, text, delay } = statusOf(this.#facts);
    const previous = this.#latest;
    if (text === previous.text) return;
    this.#latest = { state, text };
    if (this.#timer && state === previous.state) return; // the running timer will show the new text
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), delay);
  }

  #show() {
    this.#timer = 0;
    const element = this.#element;
    const { state, text } = this.#latest;
    if (text === this.#shown) return; // otherwise screen readers would announce it again
    element.ariaLive = state === "catching-up" && element.dataset.state === state ? "off" : "polite"; // announces only the first count
    element.dataset.state = state;
    element.textContent = this.#shown = text;
  }
}

let toastTimer = 0;

/** Shows a short message that disappears by itself. Returns a function that removes it earlier. @param {string} text */
export function toast(text) {
  const output = document.getElementById("toast");
  output.textContent = text;
  clearTimeout(toastTimer);
  const own = (toastTimer = setTimeout(() => output.replaceChildren(), TOAST_DURATION));
  return () => own === toastTimer && output.replaceChildren();
}
