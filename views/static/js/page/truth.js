/**
 * @typedef {object} Facts
 * @property {"connecting" | "catching" | "live" | "offline" | "asleep"} connection
 * @property {number} behind how many entries are still to come, as far as is known
 * @property {boolean} away whether the server's storage does not answer
 * @property {"" | "away" | "full"} reason why messages wait although there is a connection
 * @property {number} waiting messages, in any room
 * @property {number} failed messages
 * @property {string} unsent another room in which one failed
 * @property {boolean} attached whether the newest message is shown
 */

/**
 * What the truth line says, and how long that must have been so before it is shown:
 * what passes in a moment need not be announced.
 * @param {Facts} facts
 * @returns {{ state: string, text: string, delay: number }}
 */
export function truth({ connection, behind, away, reason, waiting, failed, unsent, attached }) {
  const say = (state, text, delay = 0) => ({ state, text: waiting ? `${text}, ${waiting} waiting to send` : text, delay });
  if (connection === "offline") return say("offline", "Offline");
  if (connection === "asleep") return say("asleep", "Paused");
  if (connection === "connecting") return say("connecting", waiting ? "Connecting" : "Connecting…", 600);
  if (reason === "full") return say("full", "Chat storage is full");
  if (away || reason === "away") return say("away", "Chat storage is unavailable");
  if (connection === "catching" && behind) return say("catching", `Catching up, ${behind} to go`, 400);
  if (connection === "catching") return say("catching", waiting ? "Catching up" : "Catching up…", 400);
  if (waiting) return { state: "sending", text: waiting === 1 ? "Sending…" : `Sending ${waiting}…`, delay: 1_000 };
  if (failed) return { state: "failed", text: failed === 1 ? "1 message not sent" : `${failed} messages not sent`, delay: 0 };
  if (unsent) return { state: "failed", text: `A message in #${unsent} was not sent`, delay: 0 };
  if (!attached) return { state: "past", text: "Viewing older messages", delay: 0 };
  return { state: "live", text: "Up to date", delay: 0 };
}

/** Truth keeps the line that says whether the page is up to date. */
export class Truth {
  #element;
  #facts = { connection: "connecting", behind: 0, away: false, reason: "", waiting: 0, failed: 0, unsent: "", attached: true };
  #said = { state: "", text: "" };
  #timer = 0;

  /** @param {HTMLElement} element with role=status */
  constructor(element) {
    this.#element = element;
    this.update({});
  }

  /** @param {Partial<Facts>} facts those that may have changed */
  update(facts) {
    Object.assign(this.#facts, facts);
    const { state, text, delay } = truth(this.#facts);
    const before = this.#said;
    if (text === before.text) return;
    this.#said = { state, text };
    if (this.#timer && state === before.state) return; // It waits already, and will say this.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      const element = this.#element;
      const { state, text } = this.#said;
      if (text === element.textContent) return; // Written again it would be read out again.
      element.ariaLive = state === "catching" && element.dataset.state === state ? "off" : "polite"; // Not every step.
      element.dataset.state = state;
      element.textContent = text;
    }, delay);
  }
}
