import { Alerts } from "./alerts.js";
import { tag } from "../people/avatar.js";
import { Here } from "../people/here.js";
import { compare, idOf } from "../net/id.js";
import { keys } from "./keys.js";
import { Marks } from "../rooms/marks.js";
import { names } from "../people/names.js";
import { Newline } from "../messages/newline.js";
import { Reading } from "../rooms/reading.js";
import { Sidebar } from "../rooms/sidebar.js";
import { recall } from "./storage.js";
import { Typing } from "../people/typing.js";
import { sleeper } from "../net/wake.js";

const SLEEP = 5 * 60_000; // localStorage "burble:sleep" has another, for tests
const GLANCE = 5_000; // who looks at the end for less has not read what is above the view

/**
 * What is beside the messages: rooms, people, what was read. Makes those parts and joins them.
 * @param {{ room: string, me: { id: string, name: string } | null, connection: import("../net/connection.js").Connection,
 *   log: HTMLElement, scroll: import("../messages/scroll.js").Scroll, timeline: import("../messages/timeline.js").Timeline,
 *   history: import("../messages/history.js").History, busy: () => boolean, now: () => void }} options busy: whether something waits to be sent
 */
export function beside({ room, me, connection, log, scroll, timeline, history, busy, now }) {
  const find = (id) => document.getElementById(id);
  const looking = () => !document.hidden && document.hasFocus();
  const marks = new Marks(me);
  const told = find("room-list").querySelector("[aria-current]").dataset.read || "0-0"; // the server's word
  const { rooms, people } = new Sidebar({ connection, me, marks, current: room });

  // What was read.

  const send = (id) => me !== null && connection.send({ type: "read", room, id });
  const reading = new Reading(told, send);
  if (reading.seen(marks.of(room)) && log.dataset.read) {
    if (rooms.get(room).unread) log.dataset.read = reading.mark;
    else delete log.dataset.read;
    timeline.relabel();
  }
  const newline = new Newline({ log, link: find("unread"), scroll, timeline, history });
  const alerts = new Alerts({ rooms, bell: find("bell"), looking });

  let since = 0; // when the end came into view
  let glance = 0;

  /** Marks the room read if its end is being looked at, after more than a glance if where I left off is above. */
  function see() {
    clearTimeout(glance);
    const cursor = connection.cursor(room);
    if (!looking() || !timeline.attached || scroll.fromEnd > 4 || !cursor) return void (since = 0);
    since ||= performance.now();
    const left = newline.above ? since + GLANCE - performance.now() : 0;
    if (left > 0) return void (glance = setTimeout(see, left));
    if (!reading.seen(idOf(cursor))) return;
    rooms.read(room, reading.mark);
    marks.keep(room, reading.mark);
  }

  connection.addEventListener("entries", ({ detail: { entries } }) => {
    const news = entries.some((entry) => entry.kind === "message" && entry.user.id !== me?.id);
    const before = connection.cursor(room) ?? "0-0";
    if (news && !looking() && compare(reading.mark, idOf(before)) >= 0) newline.move(reading.mark);
  });
  connection.addEventListener("signal", ({ detail }) => {
    if (detail.kind === "read" && detail.room === room) reading.elsewhere(detail.id);
  });
  connection.addEventListener("state", () => reading.flush());
  rooms.addEventListener("change", () => {
    const others = rooms.sorted.filter((one) => one.room !== room);
    const sum = (what) => others.reduce((all, one) => all + one[what], 0);
    const elsewhere = sum("unread");
    alerts.count(sum("mentions") + rooms.get(room).unread);
    find("elsewhere").textContent = elsewhere > 99 ? "99+" : elsewhere;
    find("elsewhere").hidden = !elsewhere;
  });
  scroll.addEventListener("place", see);
  for (const type of ["focus", "blur", "pageshow"]) addEventListener(type, see);
  document.addEventListener("visibilitychange", see);
  addEventListener("pagehide", () => reading.flush());

  // Who is here, and who writes.

  const here = new Here(me);
  const typing = new Typing({ say: () => connection.send({ type: "typing", room }), show: (users) => here.write(users) });
  const field = document.querySelector("#composer textarea");
  field?.addEventListener("input", () => (field.value ? typing.mine() : typing.sent()));

  function tell({ detail }) {
    const { kind, user } = detail;
    if (detail.room !== room || kind === "read") return;
    if (kind === "typing" && user.id !== me?.id) typing.begins(user);
    if (kind === "left") typing.ends(user.id);
    if (kind === "typing") return;
    here.show(people[room]);
  }
  connection.addEventListener("signal", tell);
  connection.addEventListener("present", tell);
  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, user } of entries) if (kind === "message") typing.ends(user.id);
  });

  function tagAll() {
    for (const article of log.querySelectorAll("article[data-user]")) {
      for (const name of article.querySelectorAll(".author, .action > bdi")) name.dataset.who = article.dataset.user;
    }
    for (const quote of log.querySelectorAll(".quote:not([hidden], :has([data-who]))")) {
      const original = find(`m${quote.pathname.split("/").pop()}`);
      if (original) quote.firstElementChild.dataset.who = original.dataset.user;
    }
    for (const name of document.querySelectorAll("[data-who]")) tag(name);
    newline.look();
    see();
  }
  let due = 0;
  const later = () => (due ||= requestAnimationFrame(() => ((due = 0), tagAll())));
  new MutationObserver(later).observe(log, { childList: true, subtree: true }); // What is changed may begin with a name: "/me nods".
  names.addEventListener("clash", later);
  later();

  // The page itself.

  const topic = find("topic");
  topic?.addEventListener("toggle", ({ newState }) => newState === "open" && topic.querySelector("input").select());
  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, text } of entries) if (kind === "topic") find("topic-button").firstElementChild.textContent = text;
  });
  keys({ rooms, room, now });
  sleeper({
    after: Number(recall("burble:sleep")) || SLEEP,
    hidden: () => document.hidden,
    sleep: () => busy() || alerts.on || connection.close("asleep"),
    target: document,
  });
  for (const side of document.querySelectorAll(".side")) {
    side.addEventListener("toggle", ({ newState }) => newState === "open" && (side.querySelector("[aria-current]") ?? side).focus());
  }
}
