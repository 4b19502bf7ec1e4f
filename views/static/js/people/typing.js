const SEND_EVERY = 3_000; // milliseconds between signals while the user types
const EXPIRES = 5_000; // milliseconds after the last signal from another user

/** Typing tells the server that the user is typing, and tracks who else is. */
export class Typing {
  /** @type {Map<string, { user: { id: string, name: string }, timer: number }>} */
  #others = new Map();
  #lastSent = -Infinity;
  #send;
  #show;

  /**
   * @param {{ send: () => void, show: (users: { id: string, name: string }[]) => void }} options
   *   send tells the server that the user is typing; show shows who else is
   */
  constructor({ send, show }) {
    this.#send = send;
    this.#show = show;
  }

  /** Call it whenever the user changes the text. */
  typed() {
    if (Date.now() - this.#lastSent < SEND_EVERY) return;
    this.#lastSent = Date.now();
    this.#send();
  }

  /** Call it when the user sends the text: the next letter is signalled at once. */
  submitted() {
    this.#lastSent = -Infinity;
  }

  /** Another user is typing. @param {{ id: string, name: string }} user */
  started(user) {
    clearTimeout(this.#others.get(user.id)?.timer);
    this.#others.set(user.id, { user, timer: setTimeout(() => this.stopped(user.id), EXPIRES) });
    this.#changed();
  }

  /** Another user sent the text, left or stopped typing. @param {string} id of the user */
  stopped(id) {
    clearTimeout(this.#others.get(id)?.timer);
    if (this.#others.delete(id)) this.#changed();
  }

  #changed() {
    this.#show([...this.#others.values()].map(({ user }) => user));
  }
}

/**
 * Returns the line that names who is typing, as a list of texts and of users in place of their names.
 * @template User
 * @param {User[]} users
 * @returns {(User | string)[]}
 */
export function typingText(users) {
  const [one, two] = users;
  if (users.length > 2) return ["Several people are typing…"];
  return two ? [one, " and ", two, " are typing…"] : one ? [one, " is typing…"] : [];
}
