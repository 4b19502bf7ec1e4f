import { names } from "../people/names.js";

/** Shows an entry of a room as a notification of the system's. @param {string} room @param {import("../messages/message.js").Entry} entry */
export async function notify(room, { id, user, text }) {
  const title = `${names.of(user)} in #${room}`;
  const options = { body: [...text].slice(0, 200).join(""), tag: id, data: `/r/${room}/${id}` };
  const registration = await navigator.serviceWorker?.getRegistration();
  if (registration?.active) return registration.showNotification(title, options); // On phones only the worker may.
  const shown = new Notification(title, options);
  shown.onclick = () => {
    focus();
    location.assign(options.data);
  };
}
