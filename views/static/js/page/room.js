import { actions } from "../messages/actions.js";
import { beside } from "./beside.js";
import { Composer } from "../compose/composer.js";
import { Connection } from "../net/connection.js";
import { History } from "../messages/history.js";
import { compare, idOf } from "../net/id.js";
import { Jump } from "../messages/jump.js";
import { MessageMaker } from "../messages/message.js";
import { Outbox, PREFIX } from "../offline/outbox.js";
import { quotes } from "../messages/quotes.js";
import { Scroll } from "../messages/scroll.js";
import { passing } from "./storage.js";
import { dayOf, moment } from "./time.js";
import { Timeline } from "../messages/timeline.js";
import { Truth } from "./truth.js";
import { belong, watch } from "../net/wake.js";

/** The room page: makes its parts and joins them. What each does is in its own module. */

/** Lets the browser show what there is, and hear its reader: beginning takes a phone a while. */
const pause = () => new Promise((done) => setTimeout(done));

await pause();

const { room, asOf, user, name, limit } = document.body.dataset;
const find = (id) => document.getElementById(id);
const log = find("messages");

const me = user ? { id: user, name } : null;
const scroll = new Scroll(find("scroller"));
const maker = new MessageMaker(find("message-template"), room, me);
const timeline = new Timeline({ log, scroll, maker, attached: "live" in document.body.dataset });
const history = new History({ room, timeline, scroller: find("scroller"), older: find("older"), newer: find("newer") });
const connection = new Connection(`${location.protocol.replace("http", "ws")}//${location.host}/ws`);
let elsewhere = { waiting: 0, failed: "" }; // until something is found there
const truth = new Truth(find("truth"));
const jump = new Jump(find("jump"), { scroll, timeline, now });

/** Goes to the newest message, fetching it when it is not in the page; unless another place is asked for meanwhile. */
async function now() {
  if (!timeline.attached) {
    try {
      if (!(await history.now())) return;
    } catch {
      return location.assign(`/r/${room}`);
    }
  }
  document.querySelector(".notice")?.remove(); // What it was about is over.
  if (location.pathname + location.search !== `/r/${room}`) window.history.replaceState(null, "", `/r/${room}`);
  await scroll.toEnd();
  jump.update();
}

// What the server says.

belong(connection);

connection.addEventListener("state", ({ detail: state }) => truth.update({ connection: state }));

connection.addEventListener("hello", ({ detail: { limits } }) => {
  truth.update({ away: false });
  if (composer && limits?.text) composer.limit = limits.text;
});

let reset = false; // whether the history held was forgotten, and none has come since

let end = 0; // the number of the room's last entry when it was followed

connection.addEventListener("followed", ({ detail: { state, first, n = 0 } }) => {
  end = n;
  if (state === "truncated") timeline.gap(`Messages before ${moment(Number.parseInt(first, 10))} are no longer available.`);
  if (state !== "reset") return;
  reset = true;
  timeline.clear();
  timeline.gap("This room’s history was reset on the server.");
});

connection.addEventListener("entries", ({ detail: { entries } }) => {
  const restart = reset;
  reset = false;
  truth.update({ behind: Math.max(0, end - entries.at(-1)?.n || 0) });
  timeline.append(entries).then(() => {
    if (restart) history.restart();
    truth.update({ attached: timeline.attached });
  });
  for (const { key } of entries) if (key) outbox.settle(key);
});

connection.addEventListener("stored", ({ detail: { key, id } }) => {
  const reached = connection.cursor(room);
  timeline.stored(key, reached !== null && compare(id, idOf(reached)) <= 0);
});

connection.addEventListener("status", ({ detail: { redis } }) => truth.update({ away: redis === "away" }));

// What waits to be sent.

const outbox = new Outbox(room, connection, user); // After the above: a message is shown as stored, then leaves it.

function showWaiting() {
  const { items, reason } = outbox;
  onbeforeunload = passing(PREFIX) ? () => true : null; // The browser asks whether to leave what is nowhere else.
  timeline.waiting(items);
  const failed = items.filter((item) => item.state === "failed").length;
  truth.update({ reason, failed, waiting: items.length - failed + elsewhere.waiting, unsent: elsewhere.failed });
}

outbox.addEventListener("change", showWaiting);
addEventListener("storage", (event) => event.key?.startsWith(PREFIX) && outbox.changed());

/** Sends from here what was left in other rooms. That is seldom: what it takes is loaded then. */
async function lookElsewhere() {
  if (!Outbox.rooms(user).some((other) => other !== room)) return;
  connection.removeEventListener("hello", lookElsewhere);
  const { Elsewhere } = await import("../offline/elsewhere.js").catch(() => ({}));
  if (!Elsewhere) return connection.addEventListener("hello", lookElsewhere); // Another time.
  elsewhere = new Elsewhere(connection, user, room);
  elsewhere.addEventListener("change", showWaiting);
  showWaiting();
}

connection.addEventListener("hello", lookElsewhere);

const composer =
  me &&
  new Composer(find("composer"), {
    room,
    user,
    limit: Number(limit),
    send: (text, replyTo) => {
      outbox.ask({ text, reply_to: replyTo });
      connection.hurry();
      now();
    },
    edit: (of, text) => outbox.ask({ type: "edit", of, text }),
  });

// Beginning.

await pause();
actions({ room, me, log, scroll, maker, history, outbox, connection, composer, now });
beside({ room, me, connection, log, scroll, timeline, history, now, busy: () => outbox.items.length > 0 || elsewhere.waiting > 0 });

for (const { key } of outbox.items) if (timeline.has(key)) outbox.settle(key);
showWaiting();
lookElsewhere();

const highlighted = log.querySelector("[aria-current]");
if (highlighted) scroll.to(highlighted);

history.addEventListener("live", ({ detail: cursor }) => {
  connection.follow(room, cursor);
  truth.update({ attached: true });
  jump.update();
});
history.addEventListener("past", () => {
  truth.update({ attached: false });
  jump.update();
});
timeline.addEventListener("trimmed", () => truth.update({ attached: timeline.attached }));
truth.update({ attached: timeline.attached });

watch(connection);
quotes({ room, log, connection });
const keep = () => import("../offline/keep.js").then(({ Keep }) => new Keep({ room, me, timeline, maker, connection }));
if ("shell" in document.body.dataset) restore();
else connection.follow(room, asOf || null);

/** The page came from this device, without messages: they are there too, with the cursor to go on from. */
async function restore() {
  const held = await (await keep()).load();
  if (held) {
    await timeline.page(held.entries, held.cursor, { replace: true, attach: true });
    history.restart();
  }
  connection.follow(room, held?.cursor ?? null);
  if (!navigator.onLine) connection.offline();
}

// What can wait until the page is there.
if (!("shell" in document.body.dataset)) setTimeout(() => keep().catch(() => {}), 1_000);

let today = dayOf(Date.now());
setInterval(() => {
  if (today === dayOf(Date.now())) return;
  today = dayOf(Date.now());
  timeline.relabel();
}, 60_000);
