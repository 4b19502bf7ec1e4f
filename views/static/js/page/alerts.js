import { load } from "./storage.js";

/** The storage key of the bell. The value is "on" if the user wants to be notified of mentions. */
export const BELL_KEY = "burble:bell";
const NOTIFY_DELAY = 1_500; // milliseconds before notifying, so that another tab can mark the message as read first
const CLOSE_DELAY = 300; // milliseconds before notifications are closed, so that one pass closes several

const loadBell = () => import("./bell.js").catch(() => ({}));

/**
 * Closes the notifications of messages that have been read or deleted, now and later. Other pages of
 * this browser may have shown them.
 * @param {import("../rooms/rooms.js").Rooms} rooms
 */
export function closeWhenRead(rooms) {
  let timer = 0;
  const close = () => {
    if (globalThis.Notification?.permission !== "granted") return;
    timer ||= setTimeout(async () => ((timer = 0), (await loadBell()).closeNotifications?.(rooms)), CLOSE_DELAY);
  };
  rooms.addEventListener("read", close);
  close();
}

/**
 * Alerts shows unread counts in the title and, while the bell is on, notifies the user of
 * mentions. The bell is off by default, so its module is loaded on first use.
 */
export class Alerts {
  #title = document.title;

  /** @param {{ rooms: import("../rooms/rooms.js").Rooms, bell: HTMLElement, isLooking: () => boolean }} options */
  constructor({ rooms, bell, isLooking }) {
    bell.addEventListener("click", async () => (await loadBell()).toggleBell?.(bell));
    if (this.isOn || globalThis.Notification?.permission === "denied") loadBell().then(({ showBell }) => showBell?.(bell));
    rooms.addEventListener("mention", ({ detail: { room, entry } }) => {
      if (!this.isOn || isLooking()) return;
      const isUnread = () => rooms.isUnread(room, entry.id);
      setTimeout(async () => isUnread() && (await loadBell()).showNotification?.(room, entry, isUnread), NOTIFY_DELAY);
    });
    closeWhenRead(rooms);
  }

  get isOn() {
    return load(BELL_KEY) === "on" && globalThis.Notification?.permission === "granted";
  }

  /** Shows a count in the title. @param {number} unread */
  showUnread(unread) {
    document.title = unread ? `(${unread > 99 ? "99+" : unread}) ${this.#title}` : this.#title;
  }
}
