/**
 * The service worker, which opens pages without a network. The server prepends VERSION and FILES.
 *
 * The worker caches the static files, and the page of each visited room without its messages. It
 * marks a cached page with data-shell. The script fills in the messages from room-cache.js and
 * resumes from their cursor.
 *
 * The worker prefers the page from the network. It returns the cached page if the server responds
 * with a status of 500 or more, or takes longer than NETWORK_TIMEOUT. A late response is cached for the next visit.
 */

const STATIC = `static-${VERSION}`;
const PAGES = `pages-${VERSION}`;
const NETWORK_TIMEOUT = 4_000; // milliseconds
const MAX_PAGES = 30;

addEventListener("install", (event) => event.waitUntil(caches.open(STATIC).then((cache) => cache.addAll(FILES))));

addEventListener("activate", (event) => event.waitUntil(takeOver()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && !pathname.startsWith("/r/")) event.waitUntil(caches.delete(PAGES)); // the pages may belong to the previous user
  if (request.mode === "navigate" && pathname === "/sign-in") event.waitUntil(forgetUser()); // once a session has ended, pages redirect there
  if (request.method !== "GET") return;
  if (pathname.startsWith("/static/")) event.respondWith(getFile(request));
  else if (request.mode === "navigate" && pathname === "/open") event.respondWith(openRoom(event, new URL(request.url).searchParams.get("room") ?? ""));
  else if (request.mode === "navigate" && /^\/(r\/[a-z0-9][a-z0-9_-]*(\/\d+-\d+)?)?$/.test(pathname)) event.respondWith(getPage(event));
  else if (request.mode === "navigate" && /^\/r\/[^/]+(\/\d+-\d+)?$/.test(pathname)) event.respondWith(openRoom(event, decode(pathname.split("/")[2])));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openMessage(event.notification.data));
});

/** Shows a message in an open page of its room, or else in a new page. */
async function openMessage(path) {
  const windows = await clients.matchAll({ type: "window" });
  const page = windows.find(({ url }) => pagePath(url) === pagePath(location.origin + path));
  await page?.focus();
  return page ? page.navigate(path) : clients.openWindow(path);
}

/**
 * Takes over from an older worker. The pages that the older worker cached refer to its static files,
 * so takeOver fetches them again, along with the pages that are open. If a page cannot be fetched, the old page and the old
 * static files are kept.
 */
async function takeOver() {
  await registration.navigationPreload?.enable();
  const windows = await clients.matchAll({ includeUncontrolled: true, type: "window" });
  const paths = new Set(["/", ...windows.map(({ url }) => pagePath(url))]);
  const oldCaches = (await caches.keys()).filter((name) => name !== STATIC && name !== PAGES);
  const oldPageCaches = oldCaches.filter((name) => name.startsWith("pages-"));
  for (const name of oldPageCaches) {
    for (const { url } of await (await caches.open(name)).keys()) paths.add(pagePath(url));
  }
  await clients.claim();
  const updated = await Promise.all([...paths].map(updatePage));
  const unneeded = updated.every(Boolean) ? oldCaches : oldPageCaches;
  await Promise.all(unneeded.map((name) => caches.delete(name)));
}

/** Fetches a page into the cache. If that fails, and there is an old page, copies that into it and returns false. */
async function updatePage(path) {
  try {
    const response = await fetch(path, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (response.status < 500) {
      await savePage(path, response);
      return true;
    }
  } catch {
    // There is no network.
  }
  const oldPage = await caches.match(path);
  if (!oldPage) return true;
  await (await caches.open(PAGES)).put(path, oldPage);
  return false;
}

/** Returns the path of the room or home page at a URL, without the ID of a message. */
function pagePath(url) {
  return new URL(url).pathname.split("/", 3).join("/");
}

async function getFile(request) {
  const cached = await caches.match(request).catch(() => undefined);
  if (cached) return cached;
  const response = await fetch(request);
  if (response.ok) saveFile(request, response.clone()).catch(() => {});
  return response;
}

async function saveFile(request, response) {
  await (await caches.open(STATIC)).put(request, response);
}

async function getPage(event) {
  const path = pagePath(event.request.url);
  const fetched = fetchPage(event);
  // Permalinks are not cached, because they show older messages.
  if (event.request.url === location.origin + path) event.waitUntil(fetched.then((response) => response && savePage(path, response.clone())));
  const cached = await findPage(path);
  const response = await inTime(fetched, cached);
  if (response && (response.status < 500 || !cached)) return response;
  return cached ?? noConnection();
}

/**
 * Returns the server's response to a typed room name, usually a redirect. If the server does not respond, redirects to
 * the cached page of the room, if there is one. The room's name is the text in lower case, without accents, and with
 * hyphens for spaces. The server accepts more spellings.
 */
async function openRoom(event, text) {
  const name = text.normalize("NFKD").replace(/\p{M}/gu, "").trim().toLowerCase().replace(/\s+/g, "-");
  const path = `/r/${name}`;
  const cached = await findPage(path);
  const response = await inTime(fetchPage(event), cached);
  if (response && (response.status < 500 || !cached)) return response;
  return cached ? Response.redirect(path, 303) : noConnection();
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Returns a cached page, or undefined if there is none or the browser cannot read its caches, for example because the disk is full. */
async function findPage(path) {
  try {
    return await (await caches.open(PAGES)).match(path);
  } catch {
    return undefined;
  }
}

/** Waits for a response, but only for NETWORK_TIMEOUT if there is a cached page. */
function inTime(fetched, cached) {
  return cached ? Promise.race([fetched, new Promise((resolve) => setTimeout(resolve, NETWORK_TIMEOUT))]) : fetched;
}

async function fetchPage(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return undefined;
  }
}

/** Caches a page without its messages and read marker. Deletes the cached page if the user may no longer see it. */
async function savePage(path, response) {
  if (response.type === "opaqueredirect" || [403, 404].includes(response.status)) await (await caches.open(PAGES)).delete(path);
  if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/html")) return;
  const html = (await response.text())
    .replace("<body ", "<body data-shell ")
    .replace(/(<div id=messages [^>]*?)(?: data-read="[^"]*")?>[\s\S]*?(<p class=edge id=newer>)/, "$1></div>$2");
  const headers = new Headers(response.headers);
  for (const header of ["Content-Encoding", "Content-Length"]) headers.delete(header);
  let cache = await caches.open(PAGES);
  const [known] = await cache.keys();
  if (known && userOf(html) !== userOf(await (await cache.match(known)).text())) {
    await forgetUser();
    cache = await caches.open(PAGES);
  }
  await cache.put(path, new Response(html, { headers }));
  const pages = await cache.keys();
  await Promise.all(pages.slice(0, -MAX_PAGES).map((page) => cache.delete(page)));
}

const userOf = (html) => /<body [^>]*data-user="([^"]*)"/.exec(html)?.[1];

/** Deletes the cached pages and messages of a user whose session has ended, but keeps unsent messages and drafts. */
async function forgetUser() {
  await caches.delete(PAGES);
  await new Promise((resolve) => {
    const opening = indexedDB.open("burble", 1); // as in room-cache.js
    opening.onupgradeneeded = () => opening.result.createObjectStore("rooms");
    opening.onerror = resolve; // the browser has no storage
    opening.onsuccess = () => {
      const { result: database } = opening;
      const transaction = database.transaction("rooms", "readwrite");
      transaction.objectStore("rooms").clear();
      transaction.oncomplete = transaction.onabort = resolve;
      database.close(); // once the transaction is complete
    };
  });
}

function noConnection() {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>No connection · Burble</title><link rel="stylesheet" href="/static/${VERSION}/style.css">
<body class="home"><main><header class="masthead"><img src="/static/${VERSION}/logo.svg" alt="" width="56" height="56"><h1>No connection</h1></header>
<section class="card"><p>This page hasn’t been saved on this device yet.</p>
<p class="form-row"><a class="button" href="">Try again</a> <a class="button secondary" href="/">All rooms</a></p></section></main></body></html>`;
  const headers = { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'self'" };
  return new Response(html, { status: 503, headers });
}
