import { sleepWhenHidden } from "../net/wake.js";
import { names, showAvatar, showName, updateTag } from "../people/names.js";
import { trackReading } from "../rooms/read-tracker.js";
import { RoomList } from "../rooms/room-list.js";
import { StoredReadMarkers } from "../rooms/rooms.js";
import { Alerts } from "./alerts.js";
import { addShortcuts } from "./shortcuts.js";
import { load } from "./storage.js";

const SLEEP_DELAY = 5 * 60_000; // milliseconds; tests change it with "burble:sleep" in localStorage

const byID = (id) => document.getElementById(id);

/**
 * Connects the parts of the page around the messages: rooms, people, read markers, alerts and shortcuts.
 * @param {{ room: string, me: { id: string, name: string } | null, connection: import("../net/connection.js").Connection,
 *   log: HTMLElement, scroll: import("../messages/scroll.js").Scroll, timeline: import("../messages/timeline.js").Timeline,
 *   history: import("../messages/history.js").History, hasUnsent: () => boolean, showLatest: () => void }} options
 */
export function connectPanels({ room, me, connection, log, scroll, timeline, history, hasUnsent, showLatest }) {
  const isLooking = () => !document.hidden && document.hasFocus();
  const storedMarkers = new StoredReadMarkers(me);
  const { rooms, presence } = new RoomList({ connection, me, storedMarkers, currentRoom: room });
  const updateReading = trackReading({ room, me, connection, log, scroll, timeline, history, rooms, storedMarkers, isLooking });
  const alerts = new Alerts({ rooms, bell: byID("bell"), isLooking });
  rooms.addEventListener("change", () => showUnread(rooms, room, alerts));
  connectPeople({ room, me, connection, presence });
  tagNames(log, updateReading);
  addShortcuts({ rooms, room, showLatest });
  sleepWhenHidden({
    delay: Number(load("burble:sleep")) || SLEEP_DELAY,
    isHidden: () => document.hidden,
    sleep: () => hasUnsent() || alerts.isOn || connection.close("asleep"),
    target: document,
  });
  const topic = byID("topic");
  topic?.addEventListener("toggle", ({ newState }) => newState === "open" && topic.querySelector("input").select());
  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const entry of entries) {
      if (/^(member|room|topic)$/.test(entry.kind)) import("../rooms/changes.js").then(({ showChange }) => showChange(room, entry, timeline));
    }
  });
  for (const sidebar of document.querySelectorAll(".sidebar")) {
    sidebar.addEventListener("toggle", ({ newState }) => newState === "open" && (sidebar.querySelector("[aria-current]") ?? sidebar).focus());
  }
}

/**
 * Updates two counts. The title counts the unread messages of this room and the mentions in other
 * rooms. The Rooms button counts the unread messages of other rooms.
 */
function showUnread(rooms, currentRoom, alerts) {
  const otherRooms = rooms.sorted.filter(({ room }) => room !== currentRoom);
  const sum = (count) => otherRooms.reduce((total, room) => total + room[count], 0);
  const unread = sum("unread");
  alerts.showUnread(sum("mentions") + rooms.get(currentRoom).unread);
  byID("other-unread").textContent = unread > 99 ? "99+" : unread;
  byID("other-unread").hidden = !unread;
}

/** Shows which users are in the room and which are typing, and sends the user's own typing signals. */
function connectPeople({ room, me, connection, presence }) {
  const panel = new PeoplePanel(me);
  let typing = null; // a promise, once someone has typed
  const options = { send: () => connection.send({ type: "typing", room }), show: (parts) => panel.showTyping(parts) };
  const withTyping = (action) => {
    typing ??= import("../people/typing.js").then(({ Typing }) => new Typing(options));
    typing.then(action).catch(() => (typing = null)); // it could not be loaded
  };
  const field = document.querySelector("#composer textarea");
  field?.addEventListener("input", () => withTyping((typing) => (field.value ? typing.signal() : typing.reset())));
  for (const type of ["signal", "present"]) {
    connection.addEventListener(type, ({ detail: { room: frameRoom, kind, user } }) => {
      if (frameRoom !== room || kind === "read") return;
      if (kind === "typing" && user.id !== me?.id) withTyping((typing) => typing.addUser(user));
      if (kind === "left") typing?.then((typing) => typing.removeUser(user.id));
      if (kind !== "typing") panel.showPeople(presence[room]);
    });
  }
  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, user } of entries) if (kind === "message") typing?.then((typing) => typing.removeUser(user.id));
  });
}

/** PeoplePanel shows the users in the room, and those who are typing. */
class PeoplePanel {
  #me;
  #panel = byID("people");
  #typing = byID("typing");

  /** @param {{ id: string, name: string } | null} me */
  constructor(me) {
    this.#me = me;
  }

  /** @param {import("../rooms/rooms.js").Presence} presence */
  showPeople({ count, users }) {
    const [heading, list, othersLine] = this.#panel.children;
    heading.textContent = `Here now · ${count}`;
    byID("people-count").textContent = count;
    const me = users.filter(({ id }) => id === this.#me?.id);
    list.replaceChildren(...[...me, ...users.filter((user) => !me.includes(user))].map((user) => this.#row(user)));
    othersLine.textContent = count > users.length ? `and ${count - users.length} more` : "";
  }

  /** @param {({ id: string, name: string } | string)[]} parts of the line */
  showTyping(parts) {
    this.#typing?.replaceChildren(...parts.map((part) => (part.id ? this.#name(part, "bdi") : part)));
  }

  #row(user) {
    const row = document.createElement("li");
    const avatar = document.createElement("span");
    avatar.ariaHidden = "true";
    showAvatar(avatar, user);
    const line = document.createElement("span");
    line.append(this.#name(user, "b"), user.id === this.#me?.id ? " (you)" : "");
    row.append(avatar, line);
    return row;
  }

  #name(user, tag) {
    const name = document.createElement(tag);
    name.dir = "auto";
    showName(name, user);
    return name;
  }
}

/**
 * Tags names that look the same: now, when the messages change, and when such a name appears.
 * Calls afterTagging each time.
 */
function tagNames(log, afterTagging) {
  const tagAll = () => {
    for (const article of log.querySelectorAll("article[data-user]")) {
      for (const name of article.querySelectorAll(".author, .action > bdi")) name.dataset.userId = article.dataset.user;
    }
    for (const quote of log.querySelectorAll(".quote:not([hidden], :has([data-user-id]))")) {
      const original = byID(`m${quote.pathname.split("/").pop()}`);
      if (original) quote.firstElementChild.dataset.userId = original.dataset.user;
    }
    for (const name of document.querySelectorAll("[data-user-id]")) updateTag(name);
    afterTagging();
  };
  let frame = 0;
  const schedule = () => (frame ||= requestAnimationFrame(() => ((frame = 0), tagAll())));
  new MutationObserver(schedule).observe(log, { childList: true, subtree: true }); // subtree, because an edit to "/me …" adds a name
  names.addEventListener("clash", schedule);
  schedule();
}
