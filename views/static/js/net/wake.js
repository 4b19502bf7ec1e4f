const QUIET = 60_000; // milliseconds of silence after which a visible page probes the connection

/**
 * Checks the connection when the page becomes visible, is restored or goes online, and
 * while it is visible and receives nothing: a socket can die without an event. Closes the
 * connection when the user leaves the page or the browser goes offline.
 * @param {import("./connection.js").Connection} connection
 */
export function wakeConnection(connection) {
  const wake = () => {
    if (!document.hidden) connection.wake();
  };
  document.addEventListener("visibilitychange", wake);
  addEventListener("pageshow", (event) => event.persisted && wake());
  addEventListener("pagehide", () => connection.close());
  addEventListener("online", () => connection.state !== "asleep" && connection.wake());
  addEventListener("offline", () => connection.offline());
  setInterval(() => {
    if (!document.hidden && connection.silence > QUIET) connection.probe();
  }, QUIET / 3);
}

/**
 * Calls sleep every `after` milliseconds while the page is hidden.
 * @param {{ after: number, isHidden: () => boolean, sleep: () => void, target: EventTarget }} options
 *   target dispatches visibilitychange
 */
export function sleepWhenHidden({ after, isHidden, sleep, target }) {
  let timer = 0;
  const update = () => {
    clearInterval(timer);
    if (isHidden()) timer = setInterval(sleep, after);
  };
  target.addEventListener("visibilitychange", update);
  update();
}
