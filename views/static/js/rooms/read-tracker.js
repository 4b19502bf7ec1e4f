import { UnreadLine } from "../messages/unread-line.js";
import { compareIDs, idOf } from "../net/id.js";
import { ReadMarker } from "./read-markers.js";

const MIN_VIEW_TIME = 5_000; // milliseconds that the end must be in view if there are unread messages above the view
const END_TOLERANCE = 4; // pixels; a view this close to the end counts as being at the end

/**
 * Marks the room as read while its end is in view, and positions the "New" line.
 * @param {{ room: string, me: { id: string } | null, connection: import("../net/connection.js").Connection, log: HTMLElement,
 *   scroll: import("../messages/scroll.js").Scroll, timeline: import("../messages/timeline.js").Timeline,
 *   history: import("../messages/history.js").History, rooms: import("./rooms.js").Rooms,
 *   storedMarkers: import("./read-markers.js").StoredReadMarkers, isLooking: () => boolean }} options
 * @returns {() => void} a function to call when the messages have changed
 */
export function trackReading({ room, me, connection, log, scroll, timeline, history, rooms, storedMarkers, isLooking }) {
  const link = document.querySelector("#room-list [aria-current]");
  const marker = new ReadMarker(link.dataset.read || "0-0", (id) => me !== null && connection.send({ type: "read", room, id }));
  if (marker.moveTo(storedMarkers.get(room)) && log.dataset.read) {
    // The server rendered the page before it received the last marker.
    if (rooms.get(room).unread) log.dataset.read = marker.id;
    else delete log.dataset.read;
    timeline.updateRows();
  }
  const unreadLink = document.getElementById("unread");
  const { read, unread } = rooms.get(room);
  if ("shell" in document.body.dataset) {
    // The markup is from an earlier visit.
    marker.sync(read ?? "0-0");
    if (unread) log.dataset.read = marker.id;
    unreadLink.textContent = `${unread > 99 ? "99+" : unread} new message${unread === 1 ? "" : "s"}`;
  }
  const line = new UnreadLine({ log, link: unreadLink, scroll, timeline, history });

  let endInViewSince = 0; // 0 while the end is not in view
  let timer = 0;

  /** Moves the marker if the end is in view. If unread messages are above the view, the end must be in view for MIN_VIEW_TIME. */
  function markRead() {
    clearTimeout(timer);
    const cursor = connection.cursor(room);
    if (!isLooking() || !timeline.attached || scroll.distanceFromEnd > END_TOLERANCE || !cursor) return void (endInViewSince = 0);
    endInViewSince ||= performance.now();
    const remaining = line.isAbove ? endInViewSince + MIN_VIEW_TIME - performance.now() : 0;
    if (remaining > 0) return void (timer = setTimeout(markRead, remaining));
    if (!marker.moveTo(idOf(cursor))) return;
    rooms.markRead(room, marker.id);
    storedMarkers.set(room, marker.id);
  }

  connection.addEventListener("entries", ({ detail: { entries } }) => {
    const fromOthers = entries.some((entry) => entry.kind === "message" && entry.user.id !== me?.id);
    const before = connection.cursor(room) ?? "0-0";
    // The user had read everything, and is not looking as these messages arrive.
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
