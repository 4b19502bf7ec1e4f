import { UnreadLine } from "../messages/unread-line.js";
import { compareIDs, idOf } from "../net/id.js";
import { ReadMarker } from "./read-markers.js";

const GLANCE = 5_000; // milliseconds the end must be in view if there are unread messages above the view
const AT_END = 4; // pixels from the end that count as the end

/**
 * Marks the room as read while the user looks at its end, and places the "New" line.
 * @param {{ room: string, me: { id: string } | null, connection: import("../net/connection.js").Connection, log: HTMLElement,
 *   scroll: import("../messages/scroll.js").Scroll, timeline: import("../messages/timeline.js").Timeline,
 *   history: import("../messages/history.js").History, rooms: import("./rooms.js").Rooms,
 *   storedMarkers: import("./read-markers.js").StoredReadMarkers, isLooking: () => boolean }} options
 * @returns {() => void} to call when the messages have changed
 */
export function trackReading({ room, me, connection, log, scroll, timeline, history, rooms, storedMarkers, isLooking }) {
  const link = document.querySelector("#room-list [aria-current]");
  const marker = new ReadMarker(link.dataset.read || "0-0", (id) => me !== null && connection.send({ type: "read", room, id }));
  if (marker.moveTo(storedMarkers.get(room)) && log.dataset.read) {
    // This browser had read more than the server knew when it rendered the page.
    if (rooms.get(room).unread) log.dataset.read = marker.id;
    else delete log.dataset.read;
    timeline.updateRows();
  }
  const line = new UnreadLine({ log, link: document.getElementById("unread"), scroll, timeline, history });

  let lookingSince = 0; // when the end came into view, 0 while it is not
  let timer = 0;

  /** Moves the marker while the user looks at the end. If unread messages are above the view, the end must first be in view for GLANCE. */
  function markRead() {
    clearTimeout(timer);
    const cursor = connection.cursor(room);
    if (!isLooking() || !timeline.attached || scroll.distanceFromEnd > AT_END || !cursor) return void (lookingSince = 0);
    lookingSince ||= performance.now();
    const left = line.isAbove ? lookingSince + GLANCE - performance.now() : 0;
    if (left > 0) return void (timer = setTimeout(markRead, left));
    if (!marker.moveTo(idOf(cursor))) return;
    rooms.markRead(room, marker.id);
    storedMarkers.set(room, marker.id);
  }

  connection.addEventListener("entries", ({ detail: { entries } }) => {
    const fromOthers = entries.some((entry) => entry.kind === "message" && entry.user.id !== me?.id);
    const before = connection.cursor(room) ?? "0-0";
    // Everything was read, and these messages arrive while the user looks away.
    if (fromOthers && !isLooking() && compareIDs(marker.id, idOf(before)) >= 0) line.moveTo(marker.id);
  });
  connection.addEventListener("signal", ({ detail }) => {
    if (detail.kind === "read" && detail.room === room) marker.sync(detail.id);
  });
  connection.addEventListener("state", () => marker.flush());
  scroll.addEventListener("scrolled", markRead);
  for (const type of ["focus", "blur", "pageshow"]) addEventListener(type, markRead);
  document.addEventListener("visibilitychange", markRead);
  addEventListener("pagehide", () => marker.flush());

  return () => {
    line.update();
    markRead();
  };
}
