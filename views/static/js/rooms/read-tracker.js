import { updateRow } from "../messages/rows.js";
import { compareIDs, idOf } from "../net/id.js";
import { ReadMarker } from "./rooms.js";

const MIN_VIEW_TIME = 5_000; // milliseconds that the end must be in view if there are unread messages above the view
const END_TOLERANCE = 4; // pixels; a view this close to the end counts as being at the end

/**
 * Marks the room as read while its end is in view, and positions the "New" line.
 * @param {{ room: string, me: { id: string } | null, connection: import("../net/connection.js").Connection, log: HTMLElement,
 *   scroll: import("../messages/scroll.js").Scroll, timeline: import("../messages/timeline.js").Timeline,
 *   history: import("../messages/history.js").History, rooms: import("./rooms.js").Rooms,
 *   storedMarkers: import("./rooms.js").StoredReadMarkers, isLooking: () => boolean }} options
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

/**
 * UnreadLine is the "New" line above the first unread message: the first one that was unread when
 * the user opened the room, or that arrived while they were not looking. The line stays until the
 * user leaves the room. While it is above the view, a link scrolls up to it.
 */
export class UnreadLine {
  #log;
  #link;
  #timeline;
  #wasSeen = false;

  /**
   * @param {{ log: HTMLElement, link: HTMLAnchorElement, scroll: import("./scroll.js").Scroll,
   *   timeline: import("./timeline.js").Timeline, history: import("./history.js").History }} options
   */
  constructor({ log, link, scroll, timeline, history }) {
    this.#log = log;
    this.#link = link;
    this.#timeline = timeline;
    scroll.addEventListener("scrolled", () => this.update());
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      this.#wasSeen = link.hidden = true;
      try {
        if (!this.#message && !(await history.show({ around: log.dataset.read }))) return;
        await scroll.to(this.#message);
        this.#message.tabIndex = -1;
        this.#message.focus({ preventScroll: true }); // the link that had the focus is now hidden
      } catch {
        location.assign(link.href); // the messages could not be fetched, or no longer exist
      }
    });
    this.update();
  }

  /** Moves the line below the entry up to which the user has read the room. @param {string} id */
  moveTo(id) {
    const previous = this.#message;
    this.#log.dataset.read = id;
    updateRow(previous);
    this.#wasSeen = true; // the line is just below the messages in view
  }

  /** Shows the link if the line is above the view and has not been seen. */
  update() {
    if (this.#wasSeen || !this.#log.dataset.read) return;
    const message = this.#message;
    const isAbove = message
      ? message.getBoundingClientRect().top <= this.#log.closest(".scroller").getBoundingClientRect().top
      : compareIDs(this.#timeline.newest ?? "0-0", this.#log.dataset.read) > 0; // only messages below the line are in the page
    this.#link.hidden = !isAbove;
    if (message && !isAbove) this.#wasSeen = true;
  }

  /** Reports whether the line is above the view and has not been seen. */
  get isAbove() {
    return !this.#link.hidden;
  }

  /** Returns the first unread message, above which CSS draws the line. */
  get #message() {
    return this.#log.querySelector("[data-first-unread]");
  }
}
