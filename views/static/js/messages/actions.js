import { toast } from "../page/toast.js";
import { names } from "../people/names.js";
import { firstLine } from "./message.js";
import { Toolbar } from "./toolbar.js";

const idOf = (article) => article.id.slice(1);
const authorOf = (article) => ({ id: article.dataset.user, name: article.querySelector(".author").textContent });

/**
 * Connects everything the user can do with messages: the toolbar, reactions, links, search and
 * navigation. Modules that are rarely needed are loaded on first use.
 * @param {{ room: string, me: { id: string, name: string } | null, log: HTMLElement, scroll: import("./scroll.js").Scroll,
 *   renderer: import("./message.js").MessageRenderer, history: import("./history.js").History,
 *   outbox: import("../offline/outbox.js").Outbox, connection: import("../net/connection.js").Connection,
 *   composer: import("../compose/composer.js").Composer | null, showLatest: () => void }} options
 */
export function connectActions({ room, me, log, scroll, renderer, history, outbox, connection, composer, showLatest }) {
  const find = (id) => document.getElementById(id);
  let navigation;

  /** Runs an action with the Navigation, which is loaded when it is first needed. */
  const navigate = (action) =>
    attempt(async () => {
      const { Navigation } = await import("./navigation.js");
      await action((navigation ??= new Navigation({ room, log, scroll, history, showLatest })));
    });
  const goToMessage = (id) => navigate((to) => to.goToMessage(id));
  addEventListener("popstate", () => navigate((to) => to.goToAddress()));
  if (location.search.includes("at=")) navigate((to) => to.revealTime());

  /** Returns the Markdown source of a message. The server's first page has only the HTML. */
  async function sourceOf(article) {
    const known = renderer.sourceOf(article);
    if (known !== undefined) return known;
    const response = await fetch(`/r/${room}/messages?around=${idOf(article)}&limit=1`);
    const { entries } = await response.json();
    return entries.find(({ id }) => id === idOf(article)).text;
  }

  function react(article, emoji) {
    if (!me) return toast("Join the room to react.");
    const reaction = [...article.querySelectorAll(".reaction")].find((one) => one.dataset.emoji === emoji);
    outbox.add({ type: "react", of: idOf(article), emoji, on: reaction?.ariaPressed !== "true" });
  }

  /** By the names of the toolbar's buttons. `who` is a reaction held with a finger. */
  const actions = {
    who: (_, { dataset, title }) => toast(`${dataset.emoji} ${title}`),
    react: (article, { dataset }) => react(article, dataset.emoji),
    more: async (article, button) => {
      const { pickEmoji } = await import("../compose/emoji-picker.js");
      const emoji = await pickEmoji(button);
      toolbar.hide();
      article.focus({ preventScroll: true });
      if (emoji) react(article, emoji);
    },
    reply: (article) => {
      const author = authorOf(article);
      composer.reply({ id: idOf(article), name: author.name, tag: names.tagOf(author), line: firstLine(article.querySelector(".body").textContent) });
    },
    link: (article) => copy(article.querySelector(".timestamp").href, "Link copied."),
    copy: async (article) => copy(await sourceOf(article), "Text copied."),
    edit: async (article) => composer.edit({ id: idOf(article), text: await sourceOf(article) }),
    delete: (article) => outbox.add({ type: "delete", of: idOf(article) }),
  };

  const toolbar = new Toolbar({
    element: find("toolbar"),
    log,
    scroll,
    act: (name, article, button) => attempt(() => actions[name](article, button)),
  });

  composer?.addEventListener("editlast", () =>
    attempt(async () => {
      if ("detached" in log.dataset) await showLatest(); // The user's last message may not be in the page.
      const last = [...log.querySelectorAll("article[id][data-mine]:not([data-deleted])")].at(-1);
      if (last) await actions.edit(last);
    }),
  );

  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, of } of entries) if (kind === "delete") composer?.messageDeleted(of);
  });

  document.addEventListener("click", (event) => {
    const { target, ctrlKey, metaKey, shiftKey, offsetX: x, offsetY: y } = event;
    if (target.matches("dialog") && !("closedBy" in target)) {
      // A click on the backdrop closes the dialog, for browsers without closedby.
      if (x < 0 || y < 0 || x > target.offsetWidth || y > target.offsetHeight) target.close();
    }
    const button = target.closest("#messages button");
    const { key } = button?.closest("[data-key]")?.dataset ?? {};
    if (button?.name === "retry") outbox.retry(key);
    if (button?.name === "discard") outbox.remove(key);
    if (key && button.name) find("scroller").focus(); // The button is gone.
    if (button?.matches(".reaction")) react(button.closest("article"), button.dataset.emoji);
    const link = target.closest(".quote, .timestamp");
    if (!link?.pathname.startsWith(`/r/${room}/`) || ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    toolbar.hide();
    goToMessage(link.pathname.split("/").pop());
  });

  // The title of a reaction names the users whose names are known.

  /** @type {Map<string, { id: string, name: string }>} */
  const users = new Map();
  const nameReaction = ({ target }) => {
    const reaction = target.closest(".reaction");
    if (!reaction) return;
    for (const article of log.querySelectorAll("article[data-user]")) users.set(article.dataset.user, authorOf(article));
    const ids = reaction.dataset.users.split(" ");
    const known = ids.filter((id) => id === me?.id || users.has(id)).map((id) => (id === me?.id ? "you" : names.label(users.get(id))));
    reaction.title = [...known, ...(known.length < ids.length ? [`${ids.length - known.length} more`] : [])].join(", ");
  };
  log.addEventListener("pointerover", nameReaction);
  log.addEventListener("focusin", nameReaction);
  for (const type of ["present", "signal"]) {
    connection.addEventListener(type, ({ detail }) => {
      for (const user of detail.users ?? [detail.user]) users.set(user.id, user);
    });
  }

  const field = composer && find("composer").elements.text;
  let isLoaded = false;
  field?.addEventListener("input", async () => {
    if (isLoaded || !/(^|\s)[@:]\S*$/.test(field.value.slice(0, field.selectionStart))) return;
    isLoaded = true;
    const { Autocomplete } = await import("../compose/autocomplete.js").catch(() => ({}));
    isLoaded = Boolean(Autocomplete);
    if (Autocomplete) new Autocomplete(field, () => {
      const authors = [...log.querySelectorAll("article[data-user]")].map(authorOf).reverse();
      const others = [...authors, ...users.values()].filter(({ id }) => id !== me.id);
      return new Map(others.map((user) => [user.name, names.label(user)]));
    });
  });

  const onClick = (id, action) => find(id).addEventListener("click", () => attempt(action));
  onClick("open-calendar", async () => (await import("./calendar.js")).openCalendar((time) => navigate((to) => to.goToTime(time))));
  onClick("open-search", async () => (await import("./search.js")).openSearch({ room, goToMessage }));
  onClick("theme", async () => (await import("../page/theme.js")).cycleTheme(find("theme")));
  find("topic")?.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => (await import("../rooms/topic.js")).saveTopic({ room, connection }));
  });
}

/** Runs an action, and tells the user if it fails. @param {() => void | Promise<void>} action */
async function attempt(action) {
  try {
    await action();
  } catch {
    toast("That didn’t work. Try again in a moment.");
  }
}

async function copy(text, message) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else copySelection(text);
  toast(message);
}

/** Copies without navigator.clipboard, which is missing on a page loaded over plain HTTP. */
function copySelection(text) {
  const { activeElement } = document;
  const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true, className: "visually-hidden" }); // Read-only: no keyboard appears on phones.
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  activeElement.focus({ preventScroll: true });
  if (!isCopied) throw new Error("not copied");
}
