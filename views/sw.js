/**
 * The service worker, which opens the page without a network. The server prepends VERSION
 * and FILES.
 *
 * It keeps the static files, and the page of each visited room without its messages: its
 * caches contain no text of any user. The script fills such a page (data-shell) with the messages in
 * room-cache.js, and resumes from their cursor. The worker prefers a page from the
 * network, but if it has a cached one, it waits at most NETWORK_TIMEOUT, caches a later response for
 * the next visit, and replaces server errors by the cached page.
 */

const STATIC = `static-${VERSION}`;
const PAGES = `pages-${VERSION}`;
const NETWORK_TIMEOUT = 4_000;
const MAX_PAGES = 30;

addEventListener("install", (event) => event.waitUntil(caches.open(STATIC).then((cache) => cache.addAll(FILES))));

addEventListener("activate", (event) => event.waitUntil(takeOver()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && pathname === "/session") event.waitUntil(caches.delete(PAGES)); // The pages belong to the previous user.
  if (request.method !== "GET") return;
  if (pathname.startsWith("/static/")) event.respondWith(getFile(request));
  else if (request.mode === "navigate" && /^\/(r\/[a-z0-9][a-z0-9_-]*(\/\d+-\d+)?)?$/.test(pathname)) event.respondWith(getPage(event));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openMessage(event.notification.data));
});

/** Shows a message in an open page of its room, else in a new one. */
async function openMessage(path) {
  const open = await clients.matchAll({ type: "window" });
  const page = open.find(({ url }) => nameOf(url) === nameOf(location.origin + path));
  await page?.focus();
  return page ? page.navigate(path) : clients.openWindow(path);
}

/**
 * Takes over from an older worker: fetches the open pages, and those in the older worker's cache, which
 * refer to its files. A page that cannot be fetched stays, and then so do the old files.
 */
async function takeOver() {
  await registration.navigationPreload?.enable();
  const open = await clients.matchAll({ includeUncontrolled: true, type: "window" });
  const pages = new Set(["/", ...open.map(({ url }) => nameOf(url))]);
  const oldCaches = (await caches.keys()).filter((name) => name !== STATIC && name !== PAGES);
  for (const name of oldCaches.filter((one) => one.startsWith("pages-"))) {
    for (const { url } of await (await caches.open(name)).keys()) pages.add(nameOf(url));
  }
  await clients.claim();
  const updated = await Promise.all([...pages].map(updatePage));
  const unneeded = updated.every(Boolean) ? oldCaches : oldCaches.filter((name) => name.startsWith("pages-"));
  await Promise.all(unneeded.map((name) => caches.delete(name)));
}

/** Fetches a page into the cache, else copies the old one. Returns false for an old one. */
async function updatePage(name) {
  try {
    const response = await fetch(name, { headers: { Accept: "text/html" } });
    if (response.status < 500) {
      await savePage(name, response);
      return true;
    }
  } catch {
    // There is no network.
  }
  const old = await caches.match(name);
  if (!old) return true;
  await (await caches.open(PAGES)).put(name, old);
  return false;
}

/** Returns the path of a room, without the place in it, or of the home page. */
function nameOf(url) {
  return new URL(url).pathname.split("/", 3).join("/");
}

async function getFile(request) {
  const cached = await caches.match(request);
  if (cached) return cached;
  const response = await fetch(request);
  if (response.ok) (await caches.open(STATIC)).put(request, response.clone());
  return response;
}

async function getPage(event) {
  const name = nameOf(event.request.url);
  const fetched = fetchPage(event);
  // Save the page of a room, however late it arrives, but not a place in the room.
  if (event.request.url === location.origin + name) event.waitUntil(fetched.then((response) => response && savePage(name, response.clone())));
  const cached = await (await caches.open(PAGES)).match(name);
  const timeout = cached && new Promise((resolve) => setTimeout(resolve, NETWORK_TIMEOUT));
  const response = await Promise.race(timeout ? [fetched, timeout] : [fetched]);
  if (response && (response.status < 500 || !cached)) return response;
  return cached ?? noConnection();
}

async function fetchPage(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return undefined;
  }
}

/** Saves a page without its messages and read marker. */
async function savePage(name, response) {
  if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/html")) return;
  const html = (await response.text())
    .replace("<body ", "<body data-shell ")
    .replace(/(<div id="messages"[^>]*?)(?: data-read="[^"]*")?>[\s\S]*?(<p class="edge" id="newer")/, "$1></div>$2");
  const headers = new Headers(response.headers);
  for (const header of ["Content-Encoding", "Content-Length"]) headers.delete(header);
  const cache = await caches.open(PAGES);
  await cache.put(name, new Response(html, { headers }));
  const pages = await cache.keys();
  await Promise.all(pages.slice(0, -MAX_PAGES).map((page) => cache.delete(page)));
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
