const SEND_EVERY = 3_000; // milliseconds between signals while the user types
const EXPIRES_AFTER = 5_000; // milliseconds without a signal after which another user has stopped typing

/** Typing signals to the server that the user is typing, and tracks which other users are typing. */
export class Typing {
  /** @type {Map<string, { user: { id: string, name: string }, timer: number }>} */
  #others = new Map();
  #lastSent = -Infinity;
  #send;
  #show;

  /**
   * @param {{ send: () => void, show: (parts: ({ id: string, name: string } | string)[]) => void }} options
   *   send sends a signal; show receives the line that names the other users who are typing
   */
  constructor({ send, show }) {
    this.#send = send;
    this.#show = show;
  }

  /** Sends a signal, at most once every SEND_EVERY. Call it when the user changes the text. */
  signal() {
    if (performance.now() - this.#lastSent < SEND_EVERY) return;
    this.#lastSent = performance.now();
    this.#send();
  }

  /** Makes the next call of signal() send one without delay. Call it when the user has sent or cleared the text. */
  reset() {
    this.#lastSent = -Infinity;
  }

  /** Shows that another user is typing, until EXPIRES_AFTER. @param {{ id: string, name: string }} user */
  addUser(user) {
    clearTimeout(this.#others.get(user.id)?.timer);
    this.#others.set(user.id, { user, timer: setTimeout(() => this.removeUser(user.id), EXPIRES_AFTER) });
    this.#changed();
  }

  /** Stops showing that another user is typing. Call it when they have sent a message or left. @param {string} id of the user */
  removeUser(id) {
    clearTimeout(this.#others.get(id)?.timer);
    if (this.#others.delete(id)) this.#changed();
  }

  #changed() {
    this.#show(typingText([...this.#others.values()].map(({ user }) => user)));
  }
}

/**
 * Returns the parts of the line that names the users who are typing. The caller shows the name of each user in it.
 * @template User
 * @param {User[]} users
 * @returns {(User | string)[]}
 */
export function typingText(users) {
  const [first, second] = users;
  if (users.length > 2) return ["Several people are typing…"];
  return second ? [first, " and ", second, " are typing…"] : first ? [first, " is typing…"] : [];
}
