/**
 * Presence tracks which users are in a room. In a crowded room, the server names only some of
 * them; count includes the others.
 */
export class Presence {
  #users = new Map();
  count = 0;

  /**
   * Applies a `present` or `signal` frame. Reports whether it was about presence.
   * @param {{ kind?: string, user?: { id: string, name: string }, count?: number, users?: { id: string, name: string }[] }} frame
   */
  apply({ kind, user, count, users }) {
    if (users) {
      if (users.length || !count) this.#users = new Map(users.map((user) => [user.id, user]));
      this.count = count;
    } else if (kind === "came") {
      if (!this.#users.has(user.id)) this.count++;
      this.#users.set(user.id, user);
    } else if (kind === "left" && (this.#users.delete(user.id) || this.count > this.#users.size)) {
      this.count--;
    } else {
      return false;
    }
    return true;
  }

  /** @returns {{ id: string, name: string }[]} the users that the server has named, sorted by name */
  get users() {
    return [...this.#users.values()].sort((a, b) => a.name.localeCompare(b.name));
  }
}
