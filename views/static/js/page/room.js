import { Composer } from "../compose/composer.js";
import { connectActions } from "../messages/actions.js";
import { History } from "../messages/history.js";
import { MessageRenderer } from "../messages/message.js";
import { JumpButton, Scroll } from "../messages/scroll.js";
import { Timeline } from "../messages/timeline.js";
import { Connection } from "../net/connection.js";
import { compareIDs, idOf } from "../net/id.js";
import { manageConnection } from "../net/wake.js";
import { Outbox, OUTBOX_PREFIX } from "../offline/outbox.js";
import { reloadOnUserChange } from "./identity.js";
import { connectPanels } from "./panels.js";
import { StatusLine } from "./status-line.js";
import { isOnlyInMemory } from "./storage.js";
import { formatDateTime, keepFormatsCurrent, times } from "./time.js";

/** The entry module of the room page, which creates the parts of the page and connects them. */

/** Lets the browser paint and handle input, because startup is slow on a phone. */
const yieldToBrowser = () => new Promise((done) => setTimeout(done));

await yieldToBrowser();

const { room, asOf, user, name, folded, limit, shell, host } = document.body.dataset;
const isShell = shell !== undefined; // the page came from the service worker, without messages
const byID = (id) => document.getElementById(id);
const log = byID("messages");

const me = user ? { id: user, name, folded } : null;
const scroll = new Scroll(byID("scroller"));
const renderer = new MessageRenderer(byID("message-template"), room, me);
const timeline = new Timeline({ log, scroll, renderer, attached: "live" in document.body.dataset });
const history = new History({ room, timeline, scroller: byID("scroller"), older: byID("older"), newer: byID("newer") });
const connection = new Connection(`${location.origin.replace("http", "ws")}/ws`);
const status = new StatusLine(byID("status"));
const jumpButton = new JumpButton(byID("jump"), { scroll, timeline, showLatest });

/** Scrolls to the newest message. Does nothing more if the user navigates elsewhere while the message is fetched. */
async function showLatest() {
  if (!timeline.attached) {
    try {
      if (!(await history.show({}))) return;
    } catch {
      return location.assign(`/r/${room}`);
    }
  }
  document.querySelector(".notice")?.remove(); // the notice was about the previous messages
  if (location.pathname + location.search !== `/r/${room}`) window.history.replaceState(null, "", `/r/${room}`);
  await scroll.toEnd();
  jumpButton.update();
}


reloadOnUserChange(connection);
if (host !== location.host) import("./host.js").then(({ checkHost }) => checkHost(connection, status));

connection.addEventListener("state", ({ detail: state }) => status.update({ connection: state }));

connection.addEventListener("hello", ({ detail: { limits } }) => {
  status.update({ storageAway: false });
  if (composer && limits?.text) composer.limit = limits.text;
});

let startsOver = false; // true from a reset, or from opening the room without messages, until entries arrive
let lastNumber = 0; // number of the room's last entry at the time of `followed`

connection.addEventListener("followed", ({ detail: { state, first, n = 0 } }) => {
  lastNumber = n;
  if (startsOver && !n) history.restart();
  if (state === "truncated") timeline.addGap(() => `Messages before ${formatDateTime(Number.parseInt(first, 10))} are no longer available.`);
  if (state !== "reset") return;
  startsOver = true;
  timeline.clear();
  timeline.addGap(() => "This room’s history was reset on the server.");
});

connection.addEventListener("entries", ({ detail: { entries } }) => {
  const restart = startsOver;
  startsOver = false;
  status.update({ behind: Math.max(0, lastNumber - entries.at(-1)?.n || 0) });
  timeline.append(entries).then(() => {
    if (restart) history.restart();
    status.update({ attached: timeline.attached });
  });
  for (const { key, kind, of } of entries) {
    if (key) outbox.remove(key);
    if (kind === "delete") outbox.messageDeleted(of);
  }
});

connection.addEventListener("stored", ({ detail: { key, id } }) => {
  const cursor = connection.cursor(room);
  timeline.markStored(key, cursor !== null && compareIDs(id, idOf(cursor)) <= 0);
});

connection.addEventListener("status", ({ detail: { redis } }) => status.update({ storageAway: redis === "away" }));

// Created after the listeners above, so that a message is shown as stored before it leaves the outbox.
const outbox = new Outbox(room, connection, user);
let otherOutboxes = { waiting: 0, failedRoom: "" }; // replaced by an OtherOutboxes if another room has items

function showOutbox() {
  const { items, refusal } = outbox;
  onbeforeunload = isOnlyInMemory(OUTBOX_PREFIX) ? () => true : null; // makes the browser warn that messages would be lost
  timeline.showOutbox(items);
  const failed = items.filter((item) => item.state === "failed").length;
  status.update({ refusal, failed, waiting: items.length - failed + otherOutboxes.waiting, failedRoom: otherOutboxes.failedRoom });
}

outbox.addEventListener("change", showOutbox);
addEventListener("storage", (event) => event.key?.startsWith(OUTBOX_PREFIX) && outbox.changed());

/** Sends the items in the outboxes of other rooms. They are rare, so the module is loaded only if there are any. */
async function sendFromOtherRooms() {
  if (!Outbox.rooms(user).some((other) => other !== room)) return;
  connection.removeEventListener("hello", sendFromOtherRooms);
  const { OtherOutboxes } = await import("../offline/other-outboxes.js").catch(() => ({}));
  if (!OtherOutboxes) return connection.addEventListener("hello", sendFromOtherRooms); // retry on the next connection
  otherOutboxes = new OtherOutboxes(connection, user, room);
  otherOutboxes.addEventListener("change", showOutbox);
  showOutbox();
}

connection.addEventListener("hello", sendFromOtherRooms);

const composer =
  me &&
  new Composer(byID("composer"), {
    room,
    user,
    limit: Number(limit),
    send: (message) => {
      outbox.add(message);
      connection.retryNow();
      showLatest();
    },
    edit: (of, text) => outbox.add({ type: "edit", of, text }),
  });

await yieldToBrowser();
connectActions({ room, me, log, scroll, history, outbox, connection, composer, showLatest });
connectPanels({ room, me, connection, log, scroll, timeline, history, showLatest, hasUnsent: () => outbox.items.length > 0 || otherOutboxes.waiting > 0 });

for (const { key } of outbox.items) if (timeline.has(key)) outbox.remove(key);
showOutbox();
sendFromOtherRooms();

const highlighted = log.querySelector("[aria-current]");
if (highlighted) scroll.to(highlighted);

history.addEventListener("attached", ({ detail: cursor }) => {
  connection.follow(room, cursor);
  status.update({ attached: true });
  jumpButton.update();
});
history.addEventListener("detached", () => {
  status.update({ attached: false });
  jumpButton.update();
});
timeline.addEventListener("trimmed", () => status.update({ attached: timeline.attached }));
status.update({ attached: timeline.attached });

manageConnection(connection);

let quotesModule = null; // a promise once a message has a quote, unless loading has failed
const loadQuotes = () => {
  quotesModule ??=
    log.querySelector(".quote:not([hidden])") &&
    import("../messages/quotes.js").then(({ updateQuotes }) => updateQuotes({ room, log, connection })).catch(() => (quotesModule = null));
};
new MutationObserver(loadQuotes).observe(log, { childList: true });
loadQuotes();

if (!isShell) connection.follow(room, asOf || null);
import("../offline/room-cache.js")
  .then(({ RoomCache }) => new RoomCache({ room, me, timeline, connection }))
  .then(async (cache) => isShell && (startsOver = await cache.restore(history)))
  .catch(() => {});

times.addEventListener("change", () => timeline.updateTimes());
keepFormatsCurrent();
