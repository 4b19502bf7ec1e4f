//go:build unix

package browser

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// burbleAt is a Burble that comes back on the same port.
func burbleAt(t *testing.T, server *redistest.Server, env ...string) *apptest.Server {
	t.Helper()
	return apptest.Start(t, server, append(env, "PORT="+strconv.Itoa(redistest.FreePort(t)))...)
}

func TestRefusedMessageIsRetriedOrDiscardedByItsWriter(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	const secret = "SECRET=sixteen characters and more"
	here, there := burbleAt(t, redis, secret), apptest.Start(t, redis, secret)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.forgive(serverGone...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")

	// The server comes back with another secret: it does not know who Ada is.
	here.Env = append(here.Env, "SECRET=another one of that length")
	here.Restart()
	ada.write("keep this")
	ada.write("throw this away")
	ada.wait("both to be refused", `document.querySelectorAll("#messages [data-state=failed]").length === 2`)
	ada.waitTruth("failed", "2 messages not sent")
	// A message is read out once: when it is stored.
	const quiet = `[...document.querySelectorAll("#messages > article")].map((article) => article.ariaLive).join()`
	ada.expect("what is not read out", quiet, "off,off")
	ada.expect("why", `document.querySelector("[data-state=failed] .fate span").innerText`, "Not sent. You’re no longer signed in. Reload the page.")
	const focused = `document.activeElement.id`
	ada.click("#messages [data-state=failed]:last-child [name=discard]")
	ada.waitTruth("failed", "1 message not sent")
	ada.expect("what has the focus, for the button is gone", focused, "scroller")
	ada.click("#messages [name=retry]")
	ada.expect("what has the focus, for the button is gone", focused, "scroller")
	ada.wait("it to be refused again", `document.querySelector("#messages [data-state=failed]")`)

	// With the right one again it is stored, once, in the order of things.
	here.Env = append(here.Env, secret)
	here.Restart()
	bob.write("meanwhile")
	ada.shows("meanwhile")
	ada.click("#messages [name=retry]")
	bob.shows("keep this")
	ada.upToDate()
	ada.expect("what is not read out", quiet, ",")
	expectStream(t, there, "lobby", ada, bob)
}

func TestWhatIsWrittenOfflineSurvivesAReloadAndIsSentOnce(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := burbleAt(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.forgive(serverGone...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	ada.write("before the tunnel")
	bob.shows("before the tunnel") // or his may be stored first
	bob.write("have a good trip")
	ada.shows("before the tunnel", "have a good trip")
	ada.keeps("before the tunnel", "have a good trip")

	// Nobody answers: the page opens from the device, with its messages.
	here.Kill()
	ada.open(here, "/r/lobby")
	ada.shows("before the tunnel", "have a good trip")
	ada.write("it is dark here")
	ada.write("very dark")
	ada.waitTruth("connecting", "Connecting, 2 waiting to send")
	ada.do(chromedp.Reload())
	ada.shows("have a good trip")
	ada.wait("both to wait still", `[...document.querySelectorAll("[data-state=waiting] .body")].map((body) => body.innerText).join() === "it is dark here,very dark"`)
	bob.write("are you through?")
	bob.shows("are you through?")

	here.Start()
	here.AwaitReady()
	ada.shows("are you through?", "it is dark here", "very dark")
	bob.shows("it is dark here", "very dark")
	ada.upToDate()
	expectStream(t, there, "lobby", ada, bob)
	apptest.ExpectStoredOnce(t, redis, "lobby", 5)
}

func TestWhatWaitsInAnotherRoomIsSentFromWhereItsWriterIs(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := burbleAt(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.forgive(serverGone...)
	ada.join(here, "lobby")
	ada.write("back in a minute")
	ada.keeps("back in a minute")
	ada.open(here, "/r/tea")
	ada.upToDate()
	bob.join(there, "tea")

	here.Kill()
	ada.write("is there any?")
	ada.waitTruth("connecting", "Connecting, 1 waiting to send")
	ada.open(here, "/r/lobby")
	ada.shows("back in a minute")
	ada.waitTruth("connecting", "Connecting, 1 waiting to send")
	here.Start()
	here.AwaitReady()
	bob.shows("is there any?")
	ada.upToDate()
	apptest.ExpectStoredOnce(t, redis, "tea", 1)

	// What is refused there is told of here.
	see[bool](ada, fmt.Sprintf("(localStorage[%q] = JSON.stringify([{ key: crypto.randomUUID(), text: 'no answer', reply_to: '1-1', at: 1, state: 'waiting' }])) !== ''", "burble:outbox:tea"))
	ada.open(here, "/r/lobby")
	ada.waitTruth("failed", "A message in #tea was not sent")
	ada.open(here, "/r/tea")
	ada.click("#messages [name=discard]")
	ada.upToDate()
	ada.open(here, "/r/lobby")
	ada.upToDate()
}

func TestWhatOnlyThePageHasIsNotLeftUnasked(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here := burbleAt(t, redis)
	ada := newBrowserPerson(t, "Ada")
	ada.forgive(serverGone...)
	ada.join(here, "lobby")
	const asks = `String(Boolean(window.onbeforeunload))`
	here.Kill()
	ada.write("kept on the device")
	ada.waitTruth("connecting", "Connecting, 1 waiting to send")
	ada.expect("whether the browser asks before the page is left", asks, "false")
	ada.runs(`Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError") }`)
	ada.write("kept nowhere")
	ada.waitTruth("connecting", "Connecting, 2 waiting to send")
	ada.expect("whether the browser asks before the page is left", asks, "true")
	here.Start()
	here.AwaitReady()
	ada.shows("kept on the device", "kept nowhere")
	ada.upToDate()
	ada.expect("whether the browser asks before the page is left", asks, "false")
	apptest.ExpectStoredOnce(t, redis, "lobby", 2)
}

// A browser that is short of space, or told to forget, closes the database under the page.
func TestMessagesAreKeptAgainWhenTheBrowserClosedTheDatabase(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	ada.write("one")
	ada.shows("one")
	ada.keeps("one")
	command(ada, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: server.URL(), StorageTypes: "indexeddb"})
	ada.write("two")
	ada.shows("two")
	ada.wait("the database", `indexedDB.databases().then((all) => all.length)`)
	ada.keeps("one", "two")
}

// A new worker may take over while nothing can be fetched: what the one before it held stays.
func TestPagesOfAnOlderWorkerOpenUntilTheyCanBeFetchedAnew(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	ada := newBrowserPerson(t, "Ada")
	ada.forgive(append(serverGone, "404", "503")...)
	ada.join(server, "lobby")
	ada.write("kept")
	ada.shows("kept")
	ada.keeps("kept")

	// As if another version had held it.
	see[bool](ada, `(async () => {
		for (const name of await caches.keys()) {
			const from = await caches.open(name), to = await caches.open(name.split("-")[0] + "-older");
			for (const request of await from.keys()) await to.put(request, await from.match(request));
			await caches.delete(name);
		}
		return (await navigator.serviceWorker.getRegistration()).unregister();
	})()`)
	redis.Pause()
	ada.open(server, "/nowhere")
	see[bool](ada, `(async () => {
		const { worker } = await import(document.querySelector("link[rel=stylesheet]").href.replace("style.css", "js/page/render.js"));
		const registration = await navigator.serviceWorker.register(worker());
		await navigator.serviceWorker.ready;
		while (registration.active.state !== "activated") await new Promise((resolve) => setTimeout(resolve, 50));
		return true;
	})()`)
	ada.open(server, "/r/lobby")
	ada.shows("kept")
	redis.Resume()
	ada.upToDate()
	ada.write("and on")
	ada.shows("and on")
}

// keeps waits until the device has the lobby's page, and as its messages these.
func (p *browserPerson) keeps(texts ...string) {
	p.t.Helper()
	p.wait("the page to be kept on the device", `caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name).then((cache) => cache.match("/r/lobby")))))
		.then((found) => found.some(Boolean))`)
	p.wait("the messages to be kept", fmt.Sprintf(`new Promise((resolve) => { const asked = indexedDB.open("burble"); asked.onsuccess = () => {
		const rooms = asked.result.transaction("rooms").objectStore("rooms").openCursor();
		rooms.onsuccess = () => !rooms.result ? resolve(false) : !rooms.result.key.endsWith(" lobby") ? rooms.result.continue()
			: resolve(rooms.result.value.entries.map(({ text }) => text).join() === %q) } })`, strings.Join(texts, ",")))
}

// waitTruth waits until the truth line says that.
func (p *browserPerson) waitTruth(state, text string) {
	p.t.Helper()
	p.wait(text, fmt.Sprintf(`(({dataset, innerText}) => dataset.state === %q && innerText === %q)(document.querySelector("#truth"))`, state, text))
}
