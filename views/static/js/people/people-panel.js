import { showAvatar, showName } from "./names.js";

/** PeoplePanel shows the users in the room, and those who are typing. */
export class PeoplePanel {
  #me;
  #panel = document.getElementById("people");
  #typing = document.getElementById("typing");

  /** @param {{ id: string, name: string } | null} me */
  constructor(me) {
    this.#me = me;
  }

  /** @param {import("../rooms/rooms.js").Presence} presence */
  showPeople({ count, users }) {
    const [heading, list, othersLine] = this.#panel.children;
    heading.textContent = `Here now · ${count}`;
    document.getElementById("people-count").textContent = count;
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
    avatar.className = "avatar";
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
