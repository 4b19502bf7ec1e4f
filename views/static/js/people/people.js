/**
 * People is who is in a room, from what the server tells of it. In a crowd not everybody
 * is named: count says how many there are.
 */
export class People {
  #users = new Map();
  count = 0;

  /**
   * Takes a `present` frame, or a signal that somebody came or left; tells whether it
   * said something new.
   * @param {{ kind?: string, user?: { id: string, name: string }, count?: number, users?: { id: string, name: string }[] }} frame
   */
  take({ kind, user, count, users }) {
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

  /** @returns {{ id: string, name: string }[]} those who are named, by name */
  get list() {
    return [...this.#users.values()].sort((a, b) => a.name.localeCompare(b.name));
  }
}
