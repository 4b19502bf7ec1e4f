import { toast } from "../page/status-line.js";
import { load } from "../page/storage.js";
import { names } from "../people/names.js";
import { lineOf, reactionOf, contentOf } from "./message.js";
import { Toolbar } from "./toolbar.js";

const idOf = (article) => article.id.slice(1);
const authorOf = (article) => contentOf(article).user;

/**
 * Connects the user's actions on messages: the toolbar, reactions, links, search and navigation.
 * Rarely needed modules are loaded on first use.
 * @param {{ room: string, me: { id: string, name: string } | null, log: HTMLElement, scroll: import("./scroll.js").Scroll,
 *   history: import("./history.js").History,
 *   outbox: import("../offline/outbox.js").Outbox, connection: import("../net/connection.js").Connection,
 *   composer: import("../compose/composer.js").Composer | null, showLatest: () => void }} options
 */
export function connectActions({ room, me, log, scroll, history, outbox, connection, composer, showLatest }) {
  const byID = (id) => document.getElementById(id);
  let navigation;

  /** Runs an action with the Navigation, which is created on first use. */
  const navigate = (action) =>
    attempt(async () => {
      const { Navigation } = await import("./navigation.js");
      await action((navigation ??= new Navigation({ room, log, scroll, history, showLatest })));
    });
  const goToMessage = (id) => navigate((navigation) => navigation.goToMessage(id));
  addEventListener("popstate", () => navigate((navigation) => navigation.goToAddress()));
  if (location.search.includes("at=")) navigate((navigation) => navigation.revealTime());

  /** Returns the Markdown source of a message. The page has only the HTML of messages that the server rendered. */
  async function sourceOf(article) {
    return contentOf(article).text ?? (await fetchMessage(idOf(article))).text;
  }

  /** Returns a message, or undefined if it does not exist. @param {string} id entry ID */
  async function fetchMessage(id) {
    const response = await fetch(`/r/${room}/messages?around=${id}&limit=1`);
    const { entries } = await response.json();
    return entries.find((entry) => entry.id === id);
  }

  function react(article, emoji) {
    if (!me) return toast("Join the room to react.");
    outbox.add({ type: "react", of: idOf(article), emoji, on: reactionOf(article, emoji)?.ariaPressed !== "true" });
  }

  /** Actions by the name of their toolbar button. A long press on a reaction runs `users`, which has no button. */
  const actions = {
    users: (_, { dataset, title }) => toast(`${dataset.emoji} ${title}`),
    react: (article, { dataset }) => react(article, dataset.emoji),
    emoji: async (article, button) => {
      const { pickEmoji } = await import("../compose/emoji-picker.js");
      const emoji = await pickEmoji(button);
      toolbar.hide();
      article.focus({ preventScroll: true });
      if (emoji) react(article, emoji);
    },
    reply: (article) => {
      const author = authorOf(article);
      composer.reply({ id: idOf(article), name: author.name, tag: names.tagOf(author), line: lineOf(article) });
    },
    link: (article) => copy(article.querySelector(".timestamp").href, "Link copied."),
    copy: async (article) => copy(await sourceOf(article), "Text copied."),
    edit: async (article) => composer.edit({ id: idOf(article), text: await sourceOf(article) }),
    delete: (article) => outbox.add({ type: "delete", of: idOf(article) }),
  };

  const toolbar = new Toolbar({
    element: byID("toolbar"),
    log,
    scroll,
    runAction: (name, article, button) => attempt(() => actions[name](article, button)),
  });

  composer?.addEventListener("editlast", () =>
    attempt(async () => {
      if ("detached" in log.dataset) await showLatest(); // the user's last message may not be in the page
      const last = [...log.querySelectorAll("article[id][data-mine]:not([data-deleted])")].at(-1);
      if (last) await actions.edit(last);
    }),
  );

  connection.addEventListener("entries", ({ detail: { entries } }) => {
    for (const { kind, of } of entries) if (kind === "delete") composer?.messageDeleted(of);
  });

  const checkTarget = async () => {
    const id = composer?.target?.id;
    if (id && (await fetchMessage(id))?.deleted) composer.messageDeleted(id);
  };
  checkTarget().catch(() => {}); // an offline page receives a missed deletion when it resumes

  document.addEventListener("click", (event) => {
    const { target, ctrlKey, metaKey, shiftKey, offsetX: x, offsetY: y } = event;
    if (target.matches("dialog") && !("closedBy" in target)) {
      // Browsers without closedby do not close a dialog when its backdrop is clicked.
      if (x < 0 || y < 0 || x > target.offsetWidth || y > target.offsetHeight) target.close();
    }
    const button = target.closest("#messages button");
    const { key } = button?.closest("[data-key]")?.dataset ?? {};
    if (button?.name === "retry") outbox.retry(key);
    if (button?.name === "discard") outbox.remove(key);
    if (key && button.name) byID("scroller").focus(); // the button has been removed
    if (button?.matches(".reaction")) react(button.closest("article"), button.dataset.emoji);
    const link = target.closest(".quote, .timestamp");
    if (!link?.pathname.startsWith(`/r/${room}/`) || ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    toolbar.hide();
    goToMessage(link.pathname.split("/").pop());
  });

  /** @type {Map<string, { id: string, name: string }>} users whose names are known, by ID */
  const users = new Map();

  /** Updates the title of the reaction that the pointer or the focus is on. */
  const updateReactionTitle = ({ target }) => {
    const reaction = target.closest(".reaction");
    if (reaction) import("./reaction-title.js").then(({ showTitle }) => showTitle(reaction, users, me)).catch(() => ({}));
  };
  for (const type of ["pointerover", "focusin"]) log.addEventListener(type, updateReactionTitle);
  for (const type of ["present", "signal"]) {
    connection.addEventListener(type, ({ detail }) => {
      for (const user of detail.users ?? [detail.user]) users.set(user.id, user);
    });
  }

  const field = composer && byID("composer").elements.text;
  let isLoaded = false;
  field?.addEventListener("input", async () => {
    if (isLoaded || !/[@＠:]\S*$/.test(field.value.slice(0, field.selectionStart))) return;
    isLoaded = true;
    const { Autocomplete } = await import("../compose/autocomplete.js").catch(() => ({}));
    isLoaded = Boolean(Autocomplete);
    if (Autocomplete) new Autocomplete(field, () => {
      const authors = [...log.querySelectorAll("article[data-user]")].map(authorOf).reverse();
      const others = [...authors, ...users.values()].filter(({ id }) => id !== me.id);
      return new Map(others.map((user) => [user.name, names.label(user)]));
    });
  });

  field?.addEventListener("input", () => {
    if (!document.body.dataset.previews || !/http/i.test(field.value)) return;
    import("../compose/link-preview.js").then(({ previewLinks }) => previewLinks({ room, composer }), () => {});
  });

  const attach = (files) => attempt(async () => (await import("../compose/attachments.js")).attach(files, { room, me, composer }));
  if (document.body.dataset.files && composer) {
    if (load(`burble:files:${me.id}:${room}`)) attach([]); // shows the files of the draft
    for (const type of ["change", "dragover", "drop", "paste"]) {
      addEventListener(type, (event) => {
        const { files, types = "Files" } = event.clipboardData ?? event.dataTransfer ?? event.target;
        if (!files || !/^(?!.*plain.*html).*Files/.test(types)) return; // word processors and spreadsheets also copy text as a picture
        event.preventDefault();
        attach([...files]); // empty on dragover, to show where to drop files
      });
    }
  }

  const onClick = (id, action) => byID(id).addEventListener("click", () => attempt(action));
  onClick("open-calendar", async () => (await import("./calendar.js")).openCalendar((time) => navigate((navigation) => navigation.goToTime(time))));
  onClick("open-search", async () => (await import("./search.js")).openSearch({ room, goToMessage }));
  onClick("open-keys", async () => (await import("../page/keys.js")).showKeys());
  onClick("theme", async () => (await import("../page/theme.js")).cycleTheme(byID("theme")));
  byID("topic")?.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => (await import("../rooms/topic.js")).saveTopic({ room, connection }));
  });
}

/** Runs an action, and shows a toast if it fails. @param {() => void | Promise<void>} action */
async function attempt(action) {
  try {
    await action();
  } catch {
    toast("That didn’t work. Try again in a moment.");
  }
}

/** Copies text to the clipboard. */
async function copy(text, message) {
  await (await import("../page/clipboard.js")).copyText(text);
  toast(message);
}
