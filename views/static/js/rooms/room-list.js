import { compareIDs, timeOf } from "../net/id.js";
import { isComposing } from "../compose/composer.js";
import { formatDateTime, Stopwatch, timeAgo, times } from "../page/time.js";
import { names } from "../people/names.js";
import { isHidden, Presence, Rooms, StoredRooms } from "./rooms.js";

const FETCH_DELAY = 300; // milliseconds before a request for stale counts, so that one request serves several rooms
const NAME_DELAY = 200; // milliseconds after the last key before a request for the name of a room
const FETCH_INTERVAL = 60_000; // milliseconds between requests for new rooms while the page is visible
const DRAW_INTERVAL = 1_000; // milliseconds between updates of the rows
const PRESENT_DELAY = 500; // milliseconds without a `present` frame before the rows show who is present

/**
 * RoomList is the live list of rooms. It watches every room in the list, shows their unread
 * counts, sorts the rows, and filters them by the text in the field. Its rows have the same markup
 * as those the server renders.
 */
export class RoomList {
  rooms;
  /** @type {Record<string, Presence>} by room */
  presence = {};
  #connection;
  #currentRoom;
  #storedMarkers;
  #list;
  #form;
  #template;
  #sinceFetch = new Stopwatch();
  #fetchTimer = 0;
  #drawTimer = 0;
  #presentTimer = 0;
  #lastDraw = -DRAW_INTERVAL;
  /** @type {{ typed?: string, name?: string, message?: string }} the room name that the server found for the text in the field, or why there is none */
  #foundName = {};
  #nameTimer = 0;

  /**
   * @param {{ connection: import("../net/connection.js").Connection, me: { id: string, name: string } | null,
   *   storedMarkers: import("./rooms.js").StoredReadMarkers, currentRoom?: string }} options
   *   currentRoom is followed by the page, and therefore not watched
   */
  constructor({ connection, me, storedMarkers, currentRoom }) {
    this.#connection = connection;
    this.#currentRoom = currentRoom;
    this.#storedMarkers = storedMarkers;
    this.#list = document.getElementById("room-list");
    this.#form = document.getElementById("find");
    this.#template = document.getElementById("link-template");
    this.rooms = new Rooms(me);
    this.#listen();
    const rows = [...this.#list.children].map((row) => readRow(row, this.#makeRow()));
    const storedRooms = new StoredRooms(me);
    this.#update("shell" in document.body.dataset ? storedRooms.merge(rows) : rows);
    addEventListener("pagehide", () => storedRooms.save(this.rooms.sorted));
    document.addEventListener("visibilitychange", () => document.hidden && storedRooms.save(this.rooms.sorted));
  }

  #listen() {
    const { rooms } = this;
    rooms.addEventListener("change", () => this.#drawSoon());
    const fetchSoon = () => (this.#fetchTimer ||= setTimeout(() => this.#fetch(), FETCH_DELAY));
    rooms.addEventListener("stale", fetchSoon);
    for (const type of ["entries", "watched"]) {
      this.#connection.addEventListener(type, ({ detail }) => {
        if (detail.entries) rooms.addEntries(detail);
        else if (detail.state !== "resumed") fetchSoon();
      });
    }
    this.#connection.addEventListener("hello", () => {
      // Another device may have read a mention while this page was loading or not connected.
      if (rooms.sorted.some(({ mentions }) => mentions)) fetchSoon();
    });
    for (const type of ["signal", "present"]) {
      this.#connection.addEventListener(type, ({ detail }) => this.#applySignal(detail));
    }
    this.#connection.addEventListener("closed", async ({ detail }) => {
      if (!detail.room) return; // the session has ended
      rooms.delete(detail.room);
      this.#rows.find((row) => nameOf(row) === detail.room)?.remove();
      (await import("./closed.js")).closeRoom(detail, this.#currentRoom);
    });
    for (const type of ["pointerleave", "focusout"]) {
      this.#list.addEventListener(type, ({ relatedTarget }) => this.#list.contains(relatedTarget) || this.#draw());
    }
    const fetchIfOld = () => document.hidden || this.#sinceFetch.longest < FETCH_INTERVAL || this.#fetch();
    times.addEventListener("change", () => this.#draw());
    document.addEventListener("visibilitychange", fetchIfOld);
    setInterval(fetchIfOld, FETCH_INTERVAL / 4);
    this.#form.addEventListener("input", () => this.#draw());
    this.#form.addEventListener("submit", (event) => {
      const { name, message } = this.#findName();
      if ((name ?? message) === undefined) return; // the server opens the room
      event.preventDefault();
      this.#list.querySelector("li:not([hidden]) a")?.click();
    });
    this.#list.parentElement.addEventListener("keydown", (event) => this.#handleKey(event));
  }

  #applySignal(frame) {
    const { room, kind, id, user } = frame;
    if (kind === "read") return this.rooms.markRead(room, id);
    const presence = (this.presence[room] ??= new Presence());
    for (const person of frame.users ?? [user]) names.add(person);
    if (!presence.apply(frame)) return;
    this.rooms.get(room).present = presence.count;
    if (kind) return this.#drawSoon();
    // The first `present` frames arrive one after the other, as the connection watches the rooms.
    clearTimeout(this.#presentTimer);
    this.#presentTimer = setTimeout(() => this.#drawSoon(), PRESENT_DELAY);
  }

  async #fetch() {
    this.#sinceFetch = new Stopwatch();
    this.#fetchTimer = 0;
    try {
      const response = await fetch("/rooms");
      if (response.ok) this.#update(await response.json());
    } catch {
      this.#draw(); // updates the times, such as "5 minutes ago"
    }
  }

  #update(list) {
    this.rooms.update(list);
    for (const { room, last } of list) {
      const marker = this.#storedMarkers.get(room);
      if (last !== "0-0" && compareIDs(marker, last) >= 0) this.rooms.markRead(room, marker);
      if (room !== this.#currentRoom) this.#connection.watch(room, last === "0-0" ? null : last);
    }
  }

  /** Updates the rows in the next frame, but only once every DRAW_INTERVAL. */
  #drawSoon() {
    const delay = this.#lastDraw + DRAW_INTERVAL - performance.now();
    this.#drawTimer ||= setTimeout(() => requestAnimationFrame(() => this.#draw()), delay);
  }

  /** Updates the rows. Does not sort them while the pointer or the focus is in the list. */
  #draw() {
    clearTimeout(this.#drawTimer);
    this.#drawTimer = 0;
    this.#lastDraw = performance.now();
    const rows = new Map(this.#rows.map((row) => [nameOf(row), row]));
    const order = this.rooms.sorted.map((room) => {
      const row = rows.get(room.room) ?? this.#makeRow(room.room);
      fillRow(row, room, this.#currentRoom ? [] : (this.presence[room.room]?.users ?? []));
      if (!row.isConnected) this.#list.append(row);
      return row;
    });
    if (!this.#list.matches(":hover, :focus-within")) {
      order.forEach((row, i) => this.#list.children[i] !== row && this.#list.insertBefore(row, this.#list.children[i]));
    }
    this.#filter();
  }

  get #rows() {
    return [...this.#list.querySelectorAll("li:not([data-create])")];
  }

  /** Shows the rooms that match the text in the field. If no room has that name, adds a row that creates it. */
  #filter() {
    const typed = this.#form.elements.room.value.trim().toLowerCase();
    const term = typed.replace(/^#/, "");
    const { name, message } = this.#findName();
    const rows = this.#rows;
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(term) && !(name && nameOf(row).includes(name));
    this.#list.querySelector("[data-create]")?.remove();
    this.#list.toggleAttribute("data-filtering", typed !== "");
    const exact = rows.find((row) => nameOf(row) === name);
    if (exact) this.#list.prepend(exact); // before rooms with longer names, because Enter opens the first row
    if (name ? exact : !message || rows.some((row) => !row.hidden)) return;
    const create = this.#list.appendChild(this.#makeRow(name));
    create.dataset.create = "";
    create.querySelector(".topic").textContent = "create this room";
    if (name) create.firstElementChild.href = `/open?room=${name}`;
    else create.textContent = message;
  }

  /** Returns the room name for the text in the field, or nothing until the server has found it. */
  #findName() {
    const typed = this.#form.elements.room.value.trim();
    if (typed === this.#foundName.typed) return this.#foundName;
    clearTimeout(this.#nameTimer);
    const name = typed.replace(/^#/, "").toLowerCase();
    if (/^[a-z0-9][\w-]{0,63}$/.test(name)) return { name };
    if (typed) this.#nameTimer = setTimeout(() => this.#fetchName(typed), NAME_DELAY);
    return {};
  }

  async #fetchName(typed) {
    this.#foundName = { typed }; // even if this fails, in which case the server finds the name when the user presses Enter
    try {
      const response = await fetch(`/open?${new URLSearchParams({ room: typed })}`, { headers: { Accept: "application/json" } });
      const { room, error } = await response.json();
      if (response.status <= 400 && this.#foundName.typed === typed) this.#foundName = { typed, name: room, message: error?.message };
    } catch {
      return;
    }
    this.#draw();
  }

  #makeRow(name) {
    const row = this.#template.content.firstElementChild.cloneNode(true);
    row.firstElementChild.href = `/r/${name}`;
    row.querySelector("b").textContent = name;
    return row;
  }

  /** Handles keys. Arrow keys move through the field and the rows, and Esc clears the field. */
  #handleKey(event) {
    if (isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const { room: field } = this.#form.elements;
    if (event.key === "Escape" && field.value) {
      event.preventDefault();
      this.#form.reset();
      return this.#draw();
    }
    if (!step || event.altKey) return;
    event.preventDefault();
    const stops = [field, ...this.#list.querySelectorAll("li:not([hidden]) a")];
    stops.at((stops.indexOf(document.activeElement) + step) % stops.length).focus();
  }
}

const nameOf = (row) => row.firstElementChild.pathname.split("/")[2];

/** Adds the counts that the server omits from a row while they are 0, and returns the room that the row shows. @returns {import("./rooms.js").Room} */
function readRow(row, blank) {
  const link = row.firstElementChild;
  const [present, mentions, unread] = [".present", ".mentions", ".badge:not(.mentions)"].map((selector) => {
    const count = link.querySelector(selector) ?? blank.querySelector(selector);
    link.lastElementChild.before(count);
    return Number(count.firstElementChild.textContent);
  });
  const { last, read } = link.dataset;
  const room = nameOf(row);
  return { room, title: row.querySelector(isHidden(room) ? "b" : ".topic").textContent || room, last: last || "0-0", read: read || null, unread, mentions, present };
}

/** Shows a room in its row. Changes only what differs, because each change costs a layout. */
function fillRow(row, { room, title, last, unread, mentions, present }, users) {
  const set = (element, values) => {
    for (const [name, value] of Object.entries(values)) if (element[name] !== value) element[name] = value;
  };
  const show = (selector, count, text = count) => {
    const element = row.querySelector(selector);
    set(element, { hidden: !count });
    set(element.firstElementChild, { textContent: String(text) });
  };
  const hidden = isHidden(room);
  set(row.querySelector(".topic"), { textContent: hidden || title === room ? "" : title });
  if (hidden) {
    set(row.querySelector(".hash"), { textContent: "•" });
    set(row.querySelector("b"), { textContent: title });
  }
  set(row.firstElementChild, { title });
  const people = users.slice(0, 3).map((user) => names.label(user));
  if (present > people.length) people.push(`${present - people.length} more`);
  show(".present", present, users.length ? people.join(", ") : present);
  show(".badge:not(.mentions)", unread, unread > 99 ? "99+" : unread);
  show(".mentions", mentions);
  if (last === "0-0") return;
  const time = timeOf(last);
  set(row.querySelector("time"), { dateTime: new Date(time).toISOString(), title: formatDateTime(time), textContent: timeAgo(time) });
}
