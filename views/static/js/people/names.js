// Letters of other scripts, and digits, each followed by the Latin letter it looks like.
const LIKE =
  "ΑaΒbΕeΖzΗhΙiΚkΜmΝnΟoΡpΤtΥyΧxАaВbЕeКkМmНhОoРpСcТtУyХxІiЅsЈjԌg" + "аaеeоoрpсcуyхxіiѕsјjԁdһhӏlɡgαaοoνvρpυuιiκkτtɑaıiօoոnսu0o1l|l";
// Names in which letters of one script may pass for those of another.
const MIXED = /(?=.*\p{Script=Latin}).*[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;
const SHAPES = new Map([...LIKE.matchAll(/(.)(.)/gu)].map(([, from, to]) => [from, to]));

/**
 * Returns the skeleton of a name, which is equal for names that are easily mistaken for each
 * other, as in Unicode's UTS 39 but with a small table. A suffix that imitates a tag is ignored.
 * @param {string} name
 */
export function skeletonOf(name) {
  const plain = name.normalize("NFKD").replace(/[\p{Z}\p{P}\p{S}]+[\da-f]{3,}$/iu, "").replace(/[\p{M}\p{Z}\p{C}\p{P}]/gu, "");
  const latin = [...plain].map((char) => SHAPES.get(char) ?? char).join("").toLowerCase();
  return latin.replaceAll("i", "l").replaceAll("rn", "m").replaceAll("vv", "w");
}

/**
 * Names finds users whose names look the same and gives each a short tag: the beginning of
 * the user's ID. A name that mixes scripts, or is "you", is always tagged.
 *
 * Event: `clash` when another user with a name seen before is added.
 */
export class Names extends EventTarget {
  /** @type {Map<string, Set<string>>} user IDs by skeleton */
  #users = new Map();
  /** @type {Map<string, string>} skeletons by name */
  #skeletons = new Map();

  /** @param {{ id: string, name: string }} user seen on the page */
  add({ id, name }) {
    const users = this.#usersLike(name);
    if (!id || users.has(id)) return;
    users.add(id);
    if (users.size > 1) this.dispatchEvent(new Event("clash"));
  }

  /** Returns a name with its tag, as plain text. @param {{ id: string, name: string }} user */
  label(user) {
    const tag = this.tagOf(user);
    return tag ? `${user.name} ·${tag}` : user.name;
  }

  /** Returns the tag to show after a name, "" for none. @param {{ id: string, name: string }} user */
  tagOf({ id, name }) {
    this.add({ id, name });
    const users = [...this.#usersLike(name)];
    if (users.length < 2 && !MIXED.test(name) && skeletonOf(name) !== "you") return "";
    let length = 3;
    while (length < id.length && users.some((other) => other !== id && other.startsWith(id.slice(0, length)))) length++;
    return id.slice(0, length);
  }

  #usersLike(name) {
    if (!this.#skeletons.has(name)) this.#skeletons.set(name, skeletonOf(name));
    const skeleton = this.#skeletons.get(name);
    if (!this.#users.has(skeleton)) this.#users.set(skeleton, new Set());
    return this.#users.get(skeleton);
  }
}

/** The names on this page. */
export const names = new Names();
