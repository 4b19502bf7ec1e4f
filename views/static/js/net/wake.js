import { keep } from "../page/storage.js";

const ME = "burble:me"; // under which this browser's newest page says whose it is
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
 * Has the page loaded anew when it is somebody else's, or by a name that was changed: the
 * server greets them, or another tab was opened as them. Once for each: a page that comes
 * back as it was stays. Of somebody else's page nothing is sent.
 * To be called before anything else hears of the connection.
 * @param {import("./connection.js").Connection} connection
 */
export function belong(connection) {
  const { user, name, shell } = document.body.dataset;
  const called = (one) => (one ? `${one.id} ${one.name}` : "");
  const me = called(user && { id: user, name });
  const meet = (who) => {
    if (who === me || who === history.state) return;
    history.replaceState(who, "");
    location.reload();
  };
  connection.addEventListener("hello", (event) => {
    const { user: known } = event.detail;
    if (!known && shell === undefined) return; // What is sent will be refused, and say why.
    if (known?.id !== user) event.stopImmediatePropagation();
    meet(called(known));
  });
  addEventListener("storage", ({ key, newValue }) => key === ME && meet(newValue));
  if (me && shell === undefined) keep(ME, me);
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
