const AGAIN = 3_000; // how often to say that I write
const LASTS = 5_000; // how long what another said so holds

/** Typing is who writes just now: me, for the others, and the others. */
export class Typing {
  /** @type {Map<string, { user: { id: string, name: string }, timer: number }>} */
  #others = new Map();
  #said = -Infinity;
  #say;
  #show;

  /**
   * @param {{ say: () => void, show: (users: { id: string, name: string }[]) => void }} options
   *   say: tells the server that I write; show: shows who else does
   */
  constructor({ say, show }) {
    this.#say = say;
    this.#show = show;
  }

  /** I changed what I write. */
  mine() {
    if (Date.now() - this.#said < AGAIN) return;
    this.#said = Date.now();
    this.#say();
  }

  /** I sent what I wrote: the next letter is news. */
  sent() {
    this.#said = -Infinity;
  }

  /** Somebody else writes. @param {{ id: string, name: string }} user */
  begins(user) {
    clearTimeout(this.#others.get(user.id)?.timer);
    this.#others.set(user.id, { user, timer: setTimeout(() => this.ends(user.id), LASTS) });
    this.#changed();
  }

  /** Somebody sent what they wrote, left, or stopped. @param {string} id */
  ends(id) {
    clearTimeout(this.#others.get(id)?.timer);
    if (this.#others.delete(id)) this.#changed();
  }

  #changed() {
    this.#show([...this.#others.values()].map(({ user }) => user));
  }
}

/**
 * The line that says who writes: text, and people where their names go.
 * @template User
 * @param {User[]} users
 * @returns {(User | string)[]}
 */
export function sentence(users) {
  const [one, two] = users;
  if (users.length > 2) return ["Several people are typing…"];
  return two ? [one, " and ", two, " are typing…"] : one ? [one, " is typing…"] : [];
}
