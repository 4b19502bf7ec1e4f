import { OUTBOX_PREFIX } from "../offline/outbox.js";
import { deleteRoom } from "../offline/room-cache.js";
import { keysWithPrefix, save } from "../page/storage.js";
import { toast } from "../page/status-line.js";

/**
 * Removes what this device has stored about a room that the user may no longer read. If the page shows the room, replaces it
 * with a notice. Otherwise shows a notice only if the user had unsent messages there.
 * @param {{ room: string, code: string }} closed
 * @param {string} [currentRoom]
 */
export function closeRoom({ room, code }, currentRoom) {
  const unsent = keysWithPrefix(`${OUTBOX_PREFIX}${room}:`);
  for (const key of unsent) {
    save(key, "");
    dispatchEvent(new StorageEvent("storage", { key })); // the outboxes of this page listen for it
  }
  const isCurrent = room === currentRoom;
  if (isCurrent) for (const field of document.querySelectorAll("#composer textarea")) field.value = ""; // otherwise the composer would save it as a draft again
  deleteRoom(room).catch(() => {});
  import("../offline/uploads.js").then(({ sweep }) => sweep(), () => {});
  closeNotifications(room).catch(() => {});
  if (!isCurrent && !unsent.length) return;
  const text = sentenceFor(code, isCurrent ? "this room" : "one of your rooms", unsent.length);
  if (!isCurrent) return toast(text);
  const notice = Object.assign(document.createElement("p"), { className: "notice", role: "alert", textContent: `${text} ` });
  notice.append(Object.assign(document.createElement("a"), { href: "/", textContent: "All rooms" }));
  document.querySelector("main").replaceChildren(notice);
}

/** Returns the text of the notice. @param {string} code @param {string} room @param {number} unsent number of messages that were not sent */
export function sentenceFor(code, room, unsent) {
  const text = code === "deleted" ? `${room} was deleted.` : `You’re no longer a member of ${room}.`;
  const discarded = unsent ? ` ${unsent === 1 ? "A message" : `${unsent} messages`} that you had not sent ${unsent === 1 ? "was" : "were"} discarded.` : "";
  return text[0].toUpperCase() + text.slice(1) + discarded;
}

async function closeNotifications(room) {
  const registration = await navigator.serviceWorker?.getRegistration();
  for (const notification of (await registration?.getNotifications()) ?? []) {
    if (notification.data?.startsWith(`/r/${room}/`)) notification.close();
  }
}
