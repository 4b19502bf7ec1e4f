// Letters of other scripts, and digits, that look like the Latin one after them.
const LIKE =
  "ΑaΒbΕeΖzΗhΙiΚkΜmΝnΟoΡpΤtΥyΧxАaВbЕeКkМmНhОoРpСcТtУyХxІiЅsЈjԌg" + "аaеeоoрpсcуyхxіiѕsјjԁdһhӏlɡgαaοoνvρpυuιiκkτtɑaıiօoոnսu0o1l|l";
// Names in which letters of one script may pass for those of another.
const MIXED = /(?=.*\p{Script=Latin}).*[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u;
const SHAPES = new Map([...LIKE.matchAll(/(.)(.)/gu)].map(([, from, to]) => [from, to]));

/**
 * What a name looks like: two names that are easily taken for each other have one
 * skeleton, and so has one with an end like a tag. (In the manner of Unicode's UTS 39,
 * with a small table.)
 * @param {string} name
 */
export function skeleton(name) {
  const plain = name.normalize("NFKD").replace(/[\p{Z}\p{P}\p{S}]+[\da-f]{3,}$/iu, "").replace(/[\p{M}\p{Z}\p{C}\p{P}]/gu, "");
  const latin = [...plain].map((char) => SHAPES.get(char) ?? char).join("").toLowerCase();
  return latin.replaceAll("i", "l").replaceAll("rn", "m").replaceAll("vv", "w");
}

/**
 * Names tells apart people whose names look the same: each of them gets a short tag. So
 * does who mixes scripts, or is called "you", whether or not another one is known.
 *
 * Event: `clash` when there are more of them.
 */
export class Names extends EventTarget {
  /** @type {Map<string, Set<string>>} user IDs by skeleton */
  #bearers = new Map();
  #skeletons = new Map();

  /** Somebody is here or wrote something. @param {{ id: string, name: string }} user */
  note({ id, name }) {
    const bearers = this.#bearersOf(name);
    if (!id || bearers.has(id)) return;
    bearers.add(id);
    if (bearers.size > 1) this.dispatchEvent(new Event("clash"));
  }

  /** A name and its tag, where there is but text. @param {{ id: string, name: string }} user */
  of(user) {
    const tag = this.tag(user);
    return tag ? `${user.name} ·${tag}` : user.name;
  }

  /** The tag to show after a name, "" for none. @param {{ id: string, name: string }} user */
  tag({ id, name }) {
    this.note({ id, name });
    const bearers = [...this.#bearersOf(name)];
    if (bearers.length < 2 && !MIXED.test(name) && skeleton(name) !== "you") return "";
    let length = 3;
    while (length < id.length && bearers.some((other) => other !== id && other.startsWith(id.slice(0, length)))) length++;
    return id.slice(0, length);
  }

  #bearersOf(name) {
    if (!this.#skeletons.has(name)) this.#skeletons.set(name, skeleton(name));
    const look = this.#skeletons.get(name);
    if (!this.#bearers.has(look)) this.#bearers.set(look, new Set());
    return this.#bearers.get(look);
  }
}

/** The names of this page. */
export const names = new Names();
