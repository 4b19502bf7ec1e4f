import { names } from "../people/names.js";
import { isHidden } from "../rooms/rooms.js";
import { BELL_KEY } from "./alerts.js";
import { load, save } from "./storage.js";
import { toast } from "./status-line.js";

/** Turns notifications for mentions on or off, and requests permission if necessary. @param {HTMLElement} bell */
export async function toggleBell(bell) {
  if (!globalThis.Notification) return toast("Add Burble to your home screen to get notifications."); // Safari on an iPhone
  const isOn = load(BELL_KEY) !== "on" || Notification.permission !== "granted";
  save(BELL_KEY, isOn && (await Notification.requestPermission()) === "granted" ? "on" : "");
  showBell(bell);
  if (Notification.permission === "denied") toast(`${bell.title}.`);
}

/** Shows whether notifications are on, off or blocked. @param {HTMLElement} bell */
export function showBell(bell) {
  const { permission } = Notification;
  const isOn = permission === "granted" && load(BELL_KEY) === "on";
  bell.ariaPressed = String(isOn);
  bell.title = isOn ? "You’re notified when you’re mentioned" : "Notify me when I’m mentioned";
  if (permission === "denied") bell.title = "Your browser is blocking notifications";
  bell.lastElementChild.textContent = bell.title;
}

const pageNotifications = new Set(); // notifications shown without the service worker, which cannot list them

/**
 * Runs functions one at a time across all tabs, because Chromium may lose a notification that is listed before it is shown.
 * If the browser refuses locks, for example because it blocks cookies, runs them immediately.
 */
const inTurn = (run) => navigator.locks.query().then(() => navigator.locks.request("burble:notifications", run), run);

/** Returns the registration of the service worker, or undefined if there is none or the browser blocks cookies. */
const getRegistration = () => navigator.serviceWorker?.getRegistration().catch(() => undefined);

/**
 * Shows an entry of a room as a system notification, unless it has been read.
 * @param {string} room
 * @param {import("../messages/message.js").Entry} entry
 * @param {() => boolean} isUnread
 */
export function showNotification(room, entry, isUnread) {
  return inTurn(() => isUnread() && show(room, entry));
}

async function show(room, { id, user, text }) {
  const row = isHidden(room) && document.querySelector(`#room-list a[href="/r/${room}"] b`);
  const title = `${names.label(user)} in ${row ? row.textContent : `#${room}`}`;
  const options = { body: [...text].slice(0, 200).join(""), tag: id, data: `/r/${room}/${id}` };
  const registration = await getRegistration();
  if (registration?.active) return registration.showNotification(title, options); // on phones, only a service worker may show notifications
  const notification = new Notification(title, options);
  pageNotifications.add(notification);
  notification.onclose = () => pageNotifications.delete(notification);
  notification.onclick = () => {
    focus();
    location.assign(options.data);
  };
}

/** Closes the notifications of messages that have been read or deleted. @param {import("../rooms/rooms.js").Rooms} rooms */
export function closeNotifications(rooms) {
  return inTurn(async () => {
    const registration = await getRegistration();
    for (const notification of [...pageNotifications, ...((await registration?.getNotifications()) ?? [])]) {
      const [, , room, id] = notification.data.split("/");
      if (!rooms.isUnread(room, id)) notification.close();
    }
  });
}
