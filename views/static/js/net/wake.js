import { load } from "../page/storage.js";

/** The storage key of the time, in milliseconds, when a WebSocket was last found to be blocked. */
export const BLOCKED_KEY = "burble:blocked";

const PROBE_AFTER = 60_000; // milliseconds without a frame after which a visible page probes the connection

/**
 * Checks the connection when the page becomes visible or the browser goes online, and
 * regularly while the page is visible, because a socket can die without an event. Closes
 * the connection when the user leaves the page or the browser goes offline.
 * @param {import("./connection.js").Connection} connection
 */
export function manageConnection(connection) {
  const wakeIfVisible = () => {
    if (!document.hidden) connection.wake();
  };
  document.addEventListener("visibilitychange", wakeIfVisible);
  addEventListener("pageshow", (event) => event.persisted && wakeIfVisible()); // restored from the back/forward cache
  addEventListener("pagehide", () => connection.close());
  addEventListener("online", () => connection.state !== "asleep" && connection.wake());
  addEventListener("offline", () => connection.offline());
  const fallBack = ({ detail }) => import("./fallback.js").then((module) => module.fallBack(connection, detail)).catch(() => {}); // the import fails without a network
  connection.addEventListener("unopened", fallBack);
  if (load(BLOCKED_KEY)) fallBack({});
  setInterval(() => {
    if (!document.hidden && connection.idleTime > PROBE_AFTER) connection.probe();
  }, PROBE_AFTER / 3);
}

/**
 * Calls sleep when the page has been hidden for `delay` milliseconds, and again after each
 * further `delay`: the caller may have declined the first time.
 * @param {{ delay: number, isHidden: () => boolean, sleep: () => void, target: EventTarget }} options
 *   target dispatches visibilitychange
 */
export function sleepWhenHidden({ delay, isHidden, sleep, target }) {
  let timer = 0;
  const updateTimer = () => {
    clearInterval(timer);
    if (isHidden()) timer = setInterval(sleep, delay);
  };
  target.addEventListener("visibilitychange", updateTimer);
  updateTimer();
}
