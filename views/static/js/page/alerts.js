import { load } from "./storage.js";

/** The storage key of the bell. The value is "on" if the user wants to be notified of mentions. */
export const BELL_KEY = "burble:bell";
const DELAY = 1_500; // milliseconds before a notification, in which another tab can mark the message as read

/**
 * Alerts shows unread counts in the title and, while the bell is on, notifies the user of
 * mentions. The bell is off by default, so its module is loaded on first use.
 */
export class Alerts {
  #title = document.title;

  /** @param {{ rooms: import("../rooms/rooms.js").Rooms, bell: HTMLElement, isLooking: () => boolean }} options */
  constructor({ rooms, bell, isLooking }) {
    const loadBell = () => import("./bell.js").catch(() => ({}));
    bell.addEventListener("click", async () => (await loadBell()).toggleBell?.(bell));
    if (this.isOn || globalThis.Notification?.permission === "denied") loadBell().then(({ showBell }) => showBell?.(bell));
    rooms.addEventListener("mention", ({ detail: { room, entry } }) => {
      if (!this.isOn || isLooking()) return;
      setTimeout(async () => rooms.get(room).mentions && (await loadBell()).showNotification?.(room, entry), DELAY);
    });
  }

  get isOn() {
    return load(BELL_KEY) === "on" && globalThis.Notification?.permission === "granted";
  }

  /** Shows a count in the title. @param {number} unread */
  showUnread(unread) {
    document.title = unread ? `(${unread > 99 ? "99+" : unread}) ${this.#title}` : this.#title;
  }
}
