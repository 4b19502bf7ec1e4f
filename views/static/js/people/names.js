/** Maps digits and letters of other scripts to the Latin letters that they look like. */
const LATIN_LOOKALIKES = new Map(
  (
    "ΑaΒbΕeΖzΗhΙiΚkΜmΝnΟoΡpΤtΥyΧxАaВbЕeКkМmНhОoРpСcТtУyХxІiЅsЈjԌg" +
    "аaеeоoрpсcуyхxіiѕsјjԁdһhӏlɡgαaοoνvρpυuιiκkτtɑaıiօoոnսu0o1l|l"
  ).match(/../gu).map((pair) => [...pair]),
);

// Matches names in which letters of one script could pass for those of another.
const MIXED_SCRIPTS = /(?=.*\p{Script=Latin}).*[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;

/**
 * Returns the skeleton of a name: two names look the same if their skeletons are equal. The idea is
 * that of Unicode's UTS 39, with a smaller table. A suffix that imitates a tag is ignored.
 * @param {string} name
 */
export function skeletonOf(name) {
  const plain = name.normalize("NFKD").replace(/[\p{Z}\p{P}\p{S}]+[\da-f]{3,}$/iu, "").replace(/[\p{M}\p{Z}\p{C}\p{P}]/gu, "");
  const latin = [...plain].map((char) => LATIN_LOOKALIKES.get(char) ?? char).join("").toLowerCase();
  return latin.replaceAll("i", "l").replaceAll("rn", "m").replaceAll("vv", "w");
}

/**
 * Names gives users whose names look the same a short tag, which is the beginning of their user
 * ID. It always tags a name that mixes scripts, and the name "you".
 *
 * Event: `clash` when a user is added whose name looks like that of another user.
 */
export class Names extends EventTarget {
  /** @type {Map<string, Set<string>>} user IDs by skeleton */
  #users = new Map();
  /** @type {Map<string, string>} skeletons by name */
  #skeletons = new Map();

  /** Adds a user whose name is on the page. @param {{ id: string, name: string }} user */
  add({ id, name }) {
    const users = this.#usersLike(name);
    if (!id || users.has(id)) return;
    users.add(id);
    if (users.size > 1) this.dispatchEvent(new Event("clash"));
  }

  /** Returns the name of a user with its tag, if it has one, as plain text. @param {{ id: string, name: string }} user */
  label(user) {
    const tag = this.tagOf(user);
    return tag ? `${user.name} ·${tag}` : user.name;
  }

  /** Returns the tag to show after the name of a user, or "". @param {{ id: string, name: string }} user */
  tagOf({ id, name }) {
    this.add({ id, name });
    const users = [...this.#usersLike(name)];
    if (users.length < 2 && !MIXED_SCRIPTS.test(name) && skeletonOf(name) !== "you") return "";
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
