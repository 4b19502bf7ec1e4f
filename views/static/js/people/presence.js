/**
 * Presence tracks who is in a room, from the frames of the server. In a crowd the server
 * names only some of the users: count is how many there are.
 */
export class Presence {
  #users = new Map();
  count = 0;

  /**
   * Applies a `present` frame, or a signal that a user came or left. Reports whether anything changed.
   * @param {{ kind?: string, user?: { id: string, name: string }, count?: number, users?: { id: string, name: string }[] }} frame
   */
  apply({ kind, user, count, users }) {
    if (users) {
      if (users.length || !count) this.#users = new Map(users.map((one) => [one.id, one]));
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

  /** @returns {{ id: string, name: string }[]} the users with a known name, sorted by it */
  get users() {
    return [...this.#users.values()].sort((a, b) => a.name.localeCompare(b.name));
  }
}
