const QUIET = 60_000; // after so long without a word a page that is looked at asks

/**
 * Has the connection checked whenever the browser gives a reason to: the page is
 * looked at again, restored, online. A socket may be long dead by then without a
 * word.
 * @param {import("./connection.js").Connection} connection
 */
export function watch(connection) {
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
 * Calls back when the page was hidden for a while, again and again until it may sleep.
 * @param {{ after: number, hidden: () => boolean, sleep: () => void, target: EventTarget }} options
 *   target: what dispatches visibilitychange
 */
export function sleeper({ after, hidden, sleep, target }) {
  let timer = 0;
  const look = () => {
    clearInterval(timer);
    if (hidden()) timer = setInterval(sleep, after);
  };
  target.addEventListener("visibilitychange", look);
  look();
}
