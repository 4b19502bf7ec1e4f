import { save } from "./storage.js";

const KEY = "burble:me"; // "<ID> <name>" of the user of the most recently opened tab

/**
 * Reloads the page when it belongs to another user or shows an outdated name: `hello` names
 * a different user, or another tab was opened by one. The page reloads once for each new user
 * or name, so it does not reload forever if the service worker serves the same page again.
 * A page of another user sends nothing.
 * Call it before adding other listeners to the connection.
 * @param {import("../net/connection.js").Connection} connection
 */
export function reloadOnUserChange(connection) {
  const { user, name, shell } = document.body.dataset;
  const describe = (one) => (one ? `${one.id} ${one.name}` : "");
  const me = describe(user && { id: user, name });
  const reloadFor = (other) => {
    if (other === me || other === history.state) return;
    history.replaceState(other, "");
    location.reload();
  };
  connection.addEventListener("hello", (event) => {
    const { user: greeted } = event.detail;
    if (!greeted && shell === undefined) return; // Sends will be refused with the reason.
    if (greeted?.id !== user) event.stopImmediatePropagation();
    reloadFor(describe(greeted));
  });
  addEventListener("storage", ({ key, newValue }) => key === KEY && reloadFor(newValue));
  if (me && shell === undefined) save(KEY, me);
}
