import { say } from "./say.js";
import { keep, recall } from "./storage.js";

const BELL = "burble:bell";
const PATIENCE = 1_500; // another page of mine may be looked at, and has read it by then

/** Alerts says what is unread where the page is not seen: in the title, and of mentions, when the bell is on, by notification. */
export class Alerts {
  #title = document.title;
  #rooms;
  #bell;

  /** @param {{ rooms: import("../rooms/rooms.js").Rooms, bell: HTMLElement, looking: () => boolean }} options */
  constructor({ rooms, bell, looking }) {
    this.#rooms = rooms;
    this.#bell = bell;
    this.#ring(this.on);
    bell.addEventListener("click", async () => {
      if (!globalThis.Notification) return say("Add Burble to your home screen to get notifications."); // An iPhone's browser.
      const on = !this.on && (await Notification.requestPermission()) === "granted";
      keep(BELL, on ? "on" : "");
      this.#ring(on);
      if (Notification.permission === "denied") say(`${bell.title}.`);
    });
    rooms.addEventListener("mention", ({ detail }) => {
      if (this.on && !looking()) setTimeout(() => this.#tell(detail), PATIENCE);
    });
  }

  get on() {
    return recall(BELL) === "on" && globalThis.Notification?.permission === "granted";
  }

  /** @param {number} unread */
  count(unread) {
    document.title = unread ? `(${unread > 99 ? "99+" : unread}) ${this.#title}` : this.#title;
  }

  #ring(on) {
    this.#bell.ariaPressed = String(on);
    this.#bell.title = on ? "You’re notified when you’re mentioned" : "Notify me when I’m mentioned";
    if (!on && globalThis.Notification?.permission === "denied") this.#bell.title = "Your browser is blocking notifications";
    this.#bell.lastElementChild.textContent = this.#bell.title;
  }

  async #tell({ room, entry }) {
    if (!this.#rooms.get(room).mentions) return;
    const { notify } = await import("./notify.js");
    notify(room, entry);
  }
}
