import { firstLine } from "./message.js";
import { names } from "../people/names.js";
import { Places } from "./places.js";
import { say } from "../page/say.js";
import { Toolbar } from "./toolbar.js";

/**
 * What the reader does with messages: makes the parts for it and joins them. What is
 * seldom done is loaded when it is.
 * @param {{ room: string, me: { id: string, name: string } | null, log: HTMLElement, scroll: import("./scroll.js").Scroll,
 *   maker: import("./message.js").MessageMaker, history: import("./history.js").History, outbox: import("../offline/outbox.js").Outbox,
 *   connection: import("../net/connection.js").Connection, composer: import("../compose/composer.js").Composer | null, now: () => void }} options
 */
export function actions({ room, me, log, scroll, maker, history, outbox, connection, composer, now }) {
  const find = (id) => document.getElementById(id);
  const idOf = (article) => article.id.slice(1);
  const authorOf = (article) => ({ id: article.dataset.user, name: article.querySelector(".author").textContent });
  const places = new Places({ room, log, scroll, history, now });

  /** What was written, as it was written: the page itself has it rendered. */
  async function source(article) {
    const known = maker.text(article);
    if (known !== undefined) return known;
    const response = await fetch(`/r/${room}/messages?around=${idOf(article)}&limit=1`);
    const { entries } = await response.json();
    return entries.find(({ id }) => id === idOf(article)).text;
  }

  function react(article, emoji) {
    if (!me) return say("Join the room to react.");
    const chip = [...article.querySelectorAll(".chip")].find((one) => one.dataset.emoji === emoji);
    outbox.ask({ type: "react", of: idOf(article), emoji, on: chip?.ariaPressed !== "true" });
  }

  const deeds = {
    who: (_, { dataset, title }) => say(`${dataset.emoji} ${title}`),
    react: (article, { dataset }) => react(article, dataset.emoji),
    more: async (article, button) => {
      const { pick } = await import("../compose/picker.js");
      const emoji = await pick(button);
      toolbar.hide();
      article.focus({ preventScroll: true });
      if (emoji) react(article, emoji);
    },
    reply: (article) => {
      const author = authorOf(article);
      composer.reply({ id: idOf(article), name: author.name, tag: names.tag(author), line: firstLine(article.querySelector(".body").textContent) });
    },
    link: (article) => copy(article.querySelector(".when").href, "Link copied."),
    copy: async (article) => copy(await source(article), "Text copied."),
    edit: async (article) => composer.edit({ id: idOf(article), text: await source(article) }),
    delete: (article) => outbox.ask({ type: "delete", of: idOf(article) }),
  };

  const toolbar = new Toolbar({
    element: find("toolbar"),
    log,
    scroll,
    act: (name, article, button) => attempt(() => deeds[name](article, button)),
  });

  composer?.addEventListener("last", () =>
    attempt(async () => {
      if ("detached" in log.dataset) await now(); // My last message is not among older ones.
      const mine = [...log.querySelectorAll("article[id][data-mine]:not([data-deleted])")].at(-1);
      if (mine) await deeds.edit(mine);
    }),
  );

  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, of } of entries) if (kind === "delete") composer?.forget(of);
  });

  document.addEventListener("click", (event) => {
    const { target, ctrlKey, metaKey, shiftKey, offsetX: x, offsetY: y } = event;
    if (target.matches("dialog") && !("closedBy" in target)) {
      // Beside it, as closedby has it; not between what is in it.
      if (x < 0 || y < 0 || x > target.offsetWidth || y > target.offsetHeight) target.close();
    }
    const button = target.closest("#messages button");
    const { key } = button?.closest("[data-key]")?.dataset ?? {};
    if (button?.name === "retry") outbox.retry(key);
    if (button?.name === "discard") outbox.settle(key);
    if (key && button.name) find("scroller").focus(); // The button is gone.
    if (button?.matches(".chip")) react(button.closest("article"), button.dataset.emoji);
    const link = target.closest(".quote, .when");
    if (!link?.pathname.startsWith(`/r/${room}/`) || ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    toolbar.hide();
    places.message(link.pathname.split("/").pop());
  });

  // Who reacted, where it is known.

  const named = new Map();
  const nameThem = ({ target }) => {
    const chip = target.closest(".chip");
    if (!chip) return;
    for (const article of log.querySelectorAll("article[data-user]")) {
      named.set(article.dataset.user, authorOf(article));
    }
    const users = chip.dataset.by.split(" ");
    const known = users.filter((id) => id === me?.id || named.has(id)).map((id) => (id === me?.id ? "you" : names.of(named.get(id))));
    chip.title = [...known, ...(known.length < users.length ? [`${users.length - known.length} more`] : [])].join(", ");
  };
  log.addEventListener("pointerover", nameThem);
  log.addEventListener("focusin", nameThem);
  for (const type of ["present", "signal"]) {
    connection.addEventListener(type, ({ detail: { users, user } }) => {
      for (const one of users ?? [user]) named.set(one.id, one);
    });
  }

  // Completing what is written.

  const field = composer && find("composer").elements.text;
  let completing = false;
  field?.addEventListener("input", async () => {
    if (completing || !/(^|\s)[@:]\S*$/.test(field.value.slice(0, field.selectionStart))) return;
    completing = true;
    const { Complete } = await import("../compose/complete.js").catch(() => ({}));
    completing = Boolean(Complete);
    if (Complete) new Complete(field, () => {
      const authors = [...log.querySelectorAll("article[data-user]")].map(authorOf).reverse();
      const others = [...authors, ...named.values()].filter(({ id }) => id !== me.id);
      return new Map(others.map((user) => [user.name, names.of(user)]));
    });
  });

  // What is seldom done.

  const opens = (id, open) => find(id).addEventListener("click", () => attempt(open));
  opens("open-calendar", async () => (await import("./calendar.js")).open((at) => places.moment(at)));
  opens("open-search", async () => (await import("./search.js")).open({ room, go: (id) => places.message(id) }));
  find("topic")?.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => (await import("../rooms/topic.js")).save({ room, connection }));
  });
  opens("theme", async () => (await import("../page/theme.js")).turn(find("theme")));
}

/** Does something, and says so if it cannot be done. @param {() => void | Promise<void>} deed */
async function attempt(deed) {
  try {
    await deed();
  } catch {
    say("That didn’t work. Try again in a moment.");
  }
}

async function copy(text, done) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else copySelected(text);
  say(done);
}

/** Copies where there is no clipboard to write to: on a page that did not come by TLS. */
function copySelected(text) {
  const { activeElement } = document;
  const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true, className: "hidden" }); // No keyboard comes up for it.
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  activeElement.focus({ preventScroll: true });
  if (!done) throw new Error("not copied");
}
