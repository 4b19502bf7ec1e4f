/**
 * The service worker: opens the page without network. VERSION and FILES stand above,
 * put there by the server.
 *
 * It keeps the static files, and of each room visited the page without its messages:
 * no text of anybody is in its caches. The script fills such a page (data-shell) from
 * what keep.js holds, and goes on from that cursor. A page from the network is
 * preferred; one that takes long is not waited for, but kept for the next time, and an
 * accident of the server is not shown.
 */

const STATIC = `static-${VERSION}`;
const PAGES = `pages-${VERSION}`;
const PATIENCE = 4_000;
const MOST = 30; // pages

addEventListener("install", (event) => event.waitUntil(caches.open(STATIC).then((cache) => cache.addAll(FILES))));

addEventListener("activate", (event) => event.waitUntil(renew()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && pathname === "/session") event.waitUntil(caches.delete(PAGES)); // They are somebody else's.
  if (request.method !== "GET") return;
  if (pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (request.mode === "navigate" && /^\/(r\/[a-z0-9][a-z0-9_-]*(\/\d+-\d+)?)?$/.test(pathname)) event.respondWith(page(event));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data));
});

/** Shows a message of a room: in a page of that room that is open, else in a new one. */
async function show(path) {
  const open = await clients.matchAll({ type: "window" });
  const page = open.find(({ url }) => nameOf(url) === nameOf(location.origin + path));
  await page?.focus();
  return page ? page.navigate(path) : clients.openWindow(path);
}

/**
 * Takes over: fetches the pages that are open, and those the worker before held, which
 * name its files. One that cannot be fetched stays as it was, and so do those files.
 */
async function renew() {
  await registration.navigationPreload?.enable();
  const open = await clients.matchAll({ includeUncontrolled: true, type: "window" });
  const pages = new Set(["/", ...open.map(({ url }) => nameOf(url))]);
  const older = (await caches.keys()).filter((name) => name !== STATIC && name !== PAGES);
  for (const name of older.filter((one) => one.startsWith("pages-"))) {
    for (const { url } of await (await caches.open(name)).keys()) pages.add(nameOf(url));
  }
  await clients.claim();
  const renewed = await Promise.all([...pages].map(again));
  const gone = renewed.every(Boolean) ? older : older.filter((name) => name.startsWith("pages-"));
  await Promise.all(gone.map((name) => caches.delete(name)));
}

/** Holds a page anew, else as it was held; tells whether it is anew. */
async function again(name) {
  try {
    const response = await fetch(name, { headers: { Accept: "text/html" } });
    if (response.status < 500) {
      await hold(name, response);
      return true;
    }
  } catch {
    // There is no network now.
  }
  const held = await caches.match(name);
  if (!held) return true;
  await (await caches.open(PAGES)).put(name, held);
  return false;
}

/** The page of a room, whatever the place in it; the home page. */
function nameOf(url) {
  return new URL(url).pathname.split("/", 3).join("/");
}

async function file(request) {
  const held = await caches.match(request);
  if (held) return held;
  const response = await fetch(request);
  if (response.ok) (await caches.open(STATIC)).put(request, response.clone());
  return response;
}

async function page(event) {
  const name = nameOf(event.request.url);
  const fresh = network(event);
  if (event.request.url === location.origin + name) event.waitUntil(fresh.then((response) => response && hold(name, response.clone()))); // However late it comes.
  const held = await (await caches.open(PAGES)).match(name);
  const late = held && new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const response = await Promise.race(late ? [fresh, late] : [fresh]);
  if (response && (response.status < 500 || !held)) return response;
  return held ?? notHere();
}

async function network(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return undefined;
  }
}

/** Keeps a page, without the messages and what was not read of them. */
async function hold(name, response) {
  if (!response.ok || !response.headers.get("Content-Type")?.startsWith("text/html")) return;
  const html = (await response.text())
    .replace("<body ", "<body data-shell ")
    .replace(/(<div id="messages"[^>]*?)(?: data-read="[^"]*")?>[\s\S]*?(<p class="edge" id="newer")/, "$1></div>$2");
  const headers = new Headers(response.headers);
  for (const header of ["Content-Encoding", "Content-Length"]) headers.delete(header);
  const cache = await caches.open(PAGES);
  await cache.put(name, new Response(html, { headers }));
  const kept = await cache.keys();
  await Promise.all(kept.slice(0, -MOST).map((one) => cache.delete(one)));
}

function notHere() {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>No connection · Burble</title><link rel="stylesheet" href="/static/${VERSION}/style.css">
<body class="home"><main><header class="masthead"><img src="/static/${VERSION}/logo.svg" alt="" width="56" height="56"><h1>No connection</h1></header>
<section class="card"><p>This page hasn’t been saved on this device yet.</p>
<p class="line"><a class="button" href="">Try again</a> <a class="button quiet" href="/">All rooms</a></p></section></main></body></html>`;
  const headers = { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'self'" };
  return new Response(html, { status: 503, headers });
}
