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
