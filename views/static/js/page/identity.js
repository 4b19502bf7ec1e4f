import { save } from "./storage.js";

const KEY = "burble:me"; // its value is "<ID> <name>" of the user in the tab that was opened last

/**
 * Reloads the page if the session has ended, or if `hello` or another tab reports a different user or name. While the user
 * differs, no other listener receives `hello`, so the page sends nothing.
 *
 * The page reloads once for each new user or name. Otherwise it could reload forever, because the
 * service worker may serve the same page again.
 *
 * Call it before adding other listeners to the connection.
 * @param {import("../net/connection.js").Connection} connection
 */
export function reloadOnUserChange(connection) {
  const { user, name, shell } = document.body.dataset;
  const describe = (someone) => (someone ? `${someone.id} ${someone.name}` : "");
  const me = describe(user && { id: user, name });
  const reloadFor = (other) => {
    if (other === me || other === history.state) return;
    history.replaceState(other, "");
    location.reload();
  };
  connection.addEventListener("hello", (event) => {
    const { user: helloUser } = event.detail;
    if (!helloUser && shell === undefined) return; // the user is signed out: when they send a message, the server's error explains it
    if (helloUser?.id !== user) event.stopImmediatePropagation();
    reloadFor(describe(helloUser));
  });
  connection.addEventListener("closed", ({ detail }) => detail.room ?? location.reload()); // without a room, the session has ended
  addEventListener("storage", ({ key, newValue }) => key === KEY && reloadFor(newValue));
  if (me && shell === undefined) save(KEY, me);
}
