import * as avatar from "./avatar.js";
import { sentence } from "./typing.js";

/** Here shows who is in the room, and who of them writes. */
export class Here {
  #me;
  #panel = document.getElementById("people");
  #line = document.getElementById("typing");

  /** @param {{ id: string, name: string } | null} me */
  constructor(me) {
    this.#me = me;
  }

  /** @param {import("./people.js").People} people */
  show({ count, list }) {
    const [heading, items, more] = this.#panel.children;
    heading.textContent = `Here now · ${count}`;
    document.getElementById("people-count").textContent = count;
    const mine = list.filter(({ id }) => id === this.#me?.id);
    items.replaceChildren(...[...mine, ...list.filter((user) => !mine.includes(user))].map((user) => this.#row(user)));
    more.textContent = count > list.length ? `and ${count - list.length} more` : "";
  }

  /** @param {{ id: string, name: string }[]} users */
  write(users) {
    this.#line?.replaceChildren(...sentence(users).map((part) => (part.id ? this.#name(part, "bdi") : part)));
  }

  #row(user) {
    const row = document.createElement("li");
    const face = document.createElement("span");
    face.className = "avatar";
    face.ariaHidden = "true";
    avatar.show(face, user);
    const line = document.createElement("span");
    line.append(this.#name(user, "b"), user.id === this.#me?.id ? " (you)" : "");
    row.append(face, line);
    return row;
  }

  #name(user, tag) {
    const name = document.createElement(tag);
    name.dir = "auto";
    avatar.call(name, user);
    return name;
  }
}
