import { sleepWhenHidden } from "../net/wake.js";
import { updateTag } from "../people/avatar.js";
import { names } from "../people/names.js";
import { PeoplePanel } from "../people/people-panel.js";
import { Typing } from "../people/typing.js";
import { trackReading } from "../rooms/read-tracker.js";
import { RoomList } from "../rooms/room-list.js";
import { StoredReadMarkers } from "../rooms/read-markers.js";
import { Alerts } from "./alerts.js";
import { addShortcuts } from "./keyboard.js";
import { load } from "./storage.js";

const SLEEP_AFTER = 5 * 60_000; // milliseconds; tests set a different time with "burble:sleep" in localStorage

const find = (id) => document.getElementById(id);

/**
 * Connects the parts around the messages: the list of rooms, the people, read markers, alerts and shortcuts.
 * @param {{ room: string, me: { id: string, name: string } | null, connection: import("../net/connection.js").Connection,
 *   log: HTMLElement, scroll: import("../messages/scroll.js").Scroll, timeline: import("../messages/timeline.js").Timeline,
 *   history: import("../messages/history.js").History, hasUnsent: () => boolean, showLatest: () => void }} options
 */
export function connectPanels({ room, me, connection, log, scroll, timeline, history, hasUnsent, showLatest }) {
  const isLooking = () => !document.hidden && document.hasFocus();
  const storedMarkers = new StoredReadMarkers(me);
  const { rooms, presence } = new RoomList({ connection, me, storedMarkers, currentRoom: room });
  const updateReading = trackReading({ room, me, connection, log, scroll, timeline, history, rooms, storedMarkers, isLooking });
  const alerts = new Alerts({ rooms, bell: find("bell"), isLooking });
  rooms.addEventListener("change", () => showUnread(rooms, room, alerts));
  connectPeople({ room, me, connection, presence });
  tagNames(log, updateReading);
  addShortcuts({ rooms, room, showLatest });
  sleepWhenHidden({
    delay: Number(load("burble:sleep")) || SLEEP_AFTER,
    isHidden: () => document.hidden,
    sleep: () => hasUnsent() || alerts.isOn || connection.close("asleep"),
    target: document,
  });
  const topic = find("topic");
  topic?.addEventListener("toggle", ({ newState }) => newState === "open" && topic.querySelector("input").select());
  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, text } of entries) if (kind === "topic") find("topic-button").firstElementChild.textContent = text;
  });
  for (const side of document.querySelectorAll(".sidebar")) {
    side.addEventListener("toggle", ({ newState }) => newState === "open" && (side.querySelector("[aria-current]") ?? side).focus());
  }
}

/** The title counts the room's unread messages and mentions in other rooms; the rooms button counts their unread messages. */
function showUnread(rooms, room, alerts) {
  const others = rooms.sorted.filter((one) => one.room !== room);
  const sum = (count) => others.reduce((all, one) => all + one[count], 0);
  const elsewhere = sum("unread");
  alerts.showUnread(sum("mentions") + rooms.get(room).unread);
  find("other-unread").textContent = elsewhere > 99 ? "99+" : elsewhere;
  find("other-unread").hidden = !elsewhere;
}

/** Shows who is in the room and who is typing, and tells the server when the user is. */
function connectPeople({ room, me, connection, presence }) {
  const panel = new PeoplePanel(me);
  const typing = new Typing({ send: () => connection.send({ type: "typing", room }), show: (users) => panel.showTyping(users) });
  const field = document.querySelector("#composer textarea");
  field?.addEventListener("input", () => (field.value ? typing.typed() : typing.submitted()));
  for (const type of ["signal", "present"]) {
    connection.addEventListener(type, ({ detail: { room: where, kind, user } }) => {
      if (where !== room || kind === "read") return;
      if (kind === "typing" && user.id !== me?.id) typing.started(user);
      if (kind === "left") typing.stopped(user.id);
      if (kind !== "typing") panel.showPeople(presence[room]);
    });
  }
  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, user } of entries) if (kind === "message") typing.stopped(user.id);
  });
}

/** Tags names that look the same whenever the messages change or such a name appears, then calls done. */
function tagNames(log, done) {
  const tagAll = () => {
    for (const article of log.querySelectorAll("article[data-user]")) {
      for (const name of article.querySelectorAll(".author, .action > bdi")) name.dataset.userId = article.dataset.user;
    }
    for (const quote of log.querySelectorAll(".quote:not([hidden], :has([data-user-id]))")) {
      const original = find(`m${quote.pathname.split("/").pop()}`);
      if (original) quote.firstElementChild.dataset.userId = original.dataset.user;
    }
    for (const name of document.querySelectorAll("[data-user-id]")) updateTag(name);
    done();
  };
  let frame = 0;
  const schedule = () => (frame ||= requestAnimationFrame(() => ((frame = 0), tagAll())));
  new MutationObserver(schedule).observe(log, { childList: true, subtree: true }); // An edited "/me" message contains a name.
  names.addEventListener("clash", schedule);
  schedule();
}
