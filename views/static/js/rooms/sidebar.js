import { composing } from "../page/keys.js";
import { names } from "../people/names.js";
import { People } from "../people/people.js";
import { Rooms } from "./rooms.js";
import { ago, moment } from "../page/time.js";
import { compare, timeOf } from "../net/id.js";

const SOON = 300; // how long doubts are gathered
const AGAIN = 60_000; // how often a page that is looked at asks for new rooms

/**
 * Sidebar is the list of rooms, live: it watches them, counts, sorts, and finds one by
 * typing. Its rows are the server's markup.
 */
export class Sidebar {
  rooms;
  /** @type {Record<string, People>} who is in each room */
  people = {};
  #connection;
  #current;
  #marks;
  #list;
  #form;
  #template;
  #asked = Date.now();
  #due = 0;
  #drawing = 0;

  /**
   * @param {{ connection: import("../net/connection.js").Connection, me: { id: string, name: string } | null,
   *   marks: import("./marks.js").Marks, current?: string }} options
   *   current: the page's room, which is followed and not watched
   */
  constructor({ connection, me, marks, current }) {
    this.#connection = connection;
    this.#current = current;
    this.#marks = marks;
    this.#list = document.getElementById("room-list");
    this.#form = document.getElementById("find");
    this.#template = document.getElementById("link-template");
    this.rooms = new Rooms(me);
    this.#listen();
    this.#take([...this.#list.children].map(readRow));
  }

  #listen() {
    const { rooms } = this;
    rooms.addEventListener("change", () => (this.#drawing ||= requestAnimationFrame(() => this.#draw())));
    const soon = () => (this.#due ||= setTimeout(() => this.#ask(), SOON));
    rooms.addEventListener("doubt", soon);
    for (const type of ["entries", "watched"]) {
      this.#connection.addEventListener(type, ({ detail }) => {
        if (detail.entries) rooms.entries(detail);
        else if (detail.state !== "resumed") soon();
      });
    }
    for (const type of ["signal", "present"]) {
      this.#connection.addEventListener(type, ({ detail }) => this.#told(detail));
    }
    for (const type of ["pointerleave", "focusout"]) this.#list.addEventListener(type, () => this.#draw());
    const look = () => document.hidden || Date.now() - this.#asked < AGAIN || this.#ask();
    document.addEventListener("visibilitychange", look);
    setInterval(look, AGAIN / 4);
    this.#form.elements.room.removeAttribute("pattern"); // What is typed is made a name.
    this.#form.addEventListener("input", () => this.#draw());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#list.querySelector("li:not([hidden]) a")?.click();
    });
    this.#list.parentElement.addEventListener("keydown", (event) => this.#key(event));
  }

  #told(detail) {
    const { room, kind, id, user } = detail;
    if (kind === "read") return this.rooms.read(room, id);
    const people = (this.people[room] ??= new People());
    for (const one of detail.users ?? [user]) names.note(one);
    if (people.take(detail)) this.rooms.present(room, people.count);
  }

  async #ask() {
    this.#asked = Date.now();
    this.#due = 0;
    try {
      const response = await fetch("/rooms");
      if (response.ok) this.#take(await response.json());
    } catch {
      this.#draw(); // Another time. How long ago things were goes on.
    }
  }

  #take(list) {
    this.rooms.take(list);
    for (const { room, last } of list) {
      const mark = this.#marks.of(room);
      if (last !== "0-0" && compare(mark, last) >= 0) this.rooms.read(room, mark);
      if (room !== this.#current) this.#connection.watch(room, last === "0-0" ? null : last);
    }
  }

  /** Rows change at once; their order not under the pointer or the focus. */
  #draw() {
    this.#drawing = 0;
    const rows = new Map(this.#rows.map((row) => [nameOf(row), row]));
    const order = this.rooms.sorted.map((room) => {
      const row = rows.get(room.room) ?? this.#row(room.room);
      fillRow(row, room, this.#current ? [] : (this.people[room.room]?.list ?? []));
      if (!row.isConnected) this.#list.append(row);
      return row;
    });
    if (!this.#list.matches(":hover, :focus-within")) {
      order.forEach((row, i) => this.#list.children[i] !== row && this.#list.insertBefore(row, this.#list.children[i]));
    }
    this.#find();
  }

  /** Those of rooms there are. */
  get #rows() {
    return [...this.#list.querySelectorAll("li:not([data-make])")];
  }

  #row(name) {
    const row = this.#template.content.firstElementChild.cloneNode(true);
    row.firstElementChild.href = `/r/${name}`;
    row.querySelector("b").textContent = name;
    return row;
  }

  /** Shows the rooms that what is typed may mean, and one to make. */
  #find() {
    const asked = this.#form.elements.room.value.trim().toLowerCase();
    const name = asked.replace(/^#/, "").replace(/[^a-z0-9_-]+/g, "-").replace(/^[_-]+/, "").slice(0, 64);
    const rows = this.#rows;
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(asked.replace(/^#/, ""));
    this.#list.querySelector("[data-make]")?.remove();
    this.#list.toggleAttribute("data-finding", asked !== "");
    const meant = rows.find((row) => nameOf(row) === name);
    if (meant) this.#list.prepend(meant); // Before those whose names have it in them: Enter opens the first.
    if (name ? meant : !asked || rows.some((row) => !row.hidden)) return;
    const make = this.#list.appendChild(this.#row(name));
    make.dataset.make = "";
    if (name) make.querySelector(".topic").textContent = "create this room";
    else make.textContent = "Room names can only contain a-z, 0-9, - and _.";
  }

  #key(event) {
    if (composing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && this.#form.elements.room.value) {
      event.preventDefault();
      this.#form.reset();
      return this.#draw();
    }
    if (!step || event.altKey) return;
    event.preventDefault();
    const stops = [this.#form.elements.room, ...this.#list.querySelectorAll("li:not([hidden]) a")];
    stops.at((stops.indexOf(document.activeElement) + step) % stops.length).focus();
  }
}

const nameOf = (row) => row.querySelector("b").textContent;
const number = (row, selector) => Number(row.querySelector(selector).firstElementChild.textContent);

/** A row of the server's as a room. */
function readRow(row) {
  const { last, read } = row.firstElementChild.dataset;
  const room = nameOf(row);
  return {
    room, title: row.querySelector(".topic").textContent || room, last: last || "0-0", read: read || null,
    unread: number(row, ".badge:not(.at)"), mentions: number(row, ".at"), present: number(row, ".here"),
  };
}

function fillRow(row, { room, title, last, unread, mentions, present }, people) {
  const set = (selector, count, text = count) => {
    const element = row.querySelector(selector);
    element.hidden = !count;
    element.firstElementChild.textContent = text;
  };
  row.querySelector(".topic").textContent = title === room ? "" : title;
  row.firstElementChild.title = title;
  const some = people.slice(0, 3).map((user) => names.of(user));
  if (present > some.length) some.push(`${present - some.length} more`);
  set(".here", present, people.length ? some.join(", ") : present);
  set(".badge:not(.at)", unread, unread > 99 ? "99+" : unread);
  set(".at", mentions);
  const time = row.querySelector("time");
  if (last === "0-0") return;
  time.dateTime = new Date(timeOf(last)).toISOString();
  time.title = moment(timeOf(last));
  time.textContent = ago(timeOf(last));
}
