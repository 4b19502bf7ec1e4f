//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

func TestFailedMessageIsRetriedOrDiscarded(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	const secret = "SECRET=sixteen characters and more"
	here, there := startOnFixedPort(t, redis, secret), apptest.Start(t, redis, secret)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors(serverDownErrors...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")

	// The server restarts with another secret, which makes Ada's token invalid.
	here.Env = append(here.Env, "SECRET=another one of that length")
	here.Restart()
	ada.send("keep this")
	ada.send("throw this away")
	ada.wait("both messages to fail", `document.querySelectorAll("#messages [data-state=failed]").length === 2`)
	ada.waitStatus("failed", "2 messages not sent")
	// Screen readers announce a message only once it is stored.
	const live = `[...document.querySelectorAll("#messages > article")].map((article) => article.ariaLive).join()`
	ada.expect("aria-live of the messages", live, "off,off")
	ada.expect("the reason", `document.querySelector("[data-state=failed] .delivery span").innerText`, "Not sent. You’re no longer signed in. Reload the page.")
	const focused = `document.activeElement.id`
	ada.click("#messages [data-state=failed]:last-child [name=discard]")
	ada.waitStatus("failed", "1 message not sent")
	ada.expect("the focused element, now that the button is gone,", focused, "scroller")
	ada.click("#messages [name=retry]")
	ada.expect("the focused element, now that the button is gone,", focused, "scroller")
	ada.wait("the retry to fail", `document.querySelector("#messages [data-state=failed]")`)

	// With the first secret, the retry succeeds. The message is stored once, after newer ones.
	here.Env = append(here.Env, secret)
	here.Restart()
	bob.send("meanwhile")
	ada.waitMessages("meanwhile")
	ada.click("#messages [name=retry]")
	bob.waitMessages("keep this")
	ada.waitUpToDate()
	ada.expect("aria-live of the messages", live, ",")
	expectMatchesServer(t, there, "lobby", ada, bob)
}

func TestOfflineMessagesSurviveAReloadAndAreSentOnce(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors(serverDownErrors...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	ada.send("before the tunnel")
	bob.waitMessages("before the tunnel") // stored before Bob's message
	bob.send("have a good trip")
	ada.waitMessages("before the tunnel", "have a good trip")
	ada.waitCached("before the tunnel", "have a good trip")

	// Without a server, the page and its messages come from the cache.
	here.Kill()
	ada.open(here, "/r/lobby")
	ada.waitMessages("before the tunnel", "have a good trip")
	ada.send("it is dark here")
	ada.send("very dark")
	ada.waitStatus("connecting", "Connecting, 2 unsent")
	ada.do(chromedp.Reload())
	ada.waitMessages("have a good trip")
	ada.wait("both messages to still be waiting", `[...document.querySelectorAll("[data-state=waiting] .body")].map((body) => body.innerText).join() === "it is dark here,very dark"`)
	bob.send("are you through?")
	bob.waitMessages("are you through?")

	here.Start()
	here.AwaitReady()
	ada.waitMessages("are you through?", "it is dark here", "very dark")
	bob.waitMessages("it is dark here", "very dark")
	ada.waitUpToDate()
	expectMatchesServer(t, there, "lobby", ada, bob)
	apptest.ExpectStoredOnce(t, redis, "lobby", 5)
}

func TestMessagesWaitingInAnotherRoomAreSent(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors(serverDownErrors...)
	ada.join(here, "lobby")
	ada.send("back in a minute")
	ada.waitCached("back in a minute")
	ada.open(here, "/r/tea")
	ada.waitUpToDate()
	bob.join(there, "tea")

	here.Kill()
	ada.send("is there any?")
	ada.waitStatus("connecting", "Connecting, 1 unsent")
	ada.open(here, "/r/lobby")
	ada.waitMessages("back in a minute")
	ada.waitStatus("connecting", "Connecting, 1 unsent")
	here.Start()
	here.AwaitReady()
	bob.waitMessages("is there any?")
	ada.waitUpToDate()
	apptest.ExpectStoredOnce(t, redis, "tea", 1)

	// The page of one room reports a failed message of another.
	ada.runScript(`localStorage["burble:outbox:tea"] = JSON.stringify([{ key: crypto.randomUUID(), text: "no such reply", reply_to: "1-1", at: 1, state: "waiting" }])`)
	ada.open(here, "/r/lobby")
	ada.waitStatus("failed", "A message in #tea was not sent")
	ada.open(here, "/r/tea")
	ada.click("#messages [name=discard]")
	ada.waitUpToDate()
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
}

func TestBrowserWarnsBeforeUnsavedMessagesAreLost(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here := startOnFixedPort(t, redis)
	ada := newUserWithWorker(t, "Ada")
	ada.allowErrors(serverDownErrors...)
	ada.join(here, "lobby")
	const asks = `String(Boolean(window.onbeforeunload))`
	here.Kill()
	ada.send("stored on the device")
	ada.waitStatus("connecting", "Connecting, 1 unsent")
	ada.expect("whether the browser asks", asks, "false")
	ada.runScript(`Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError") }`)
	ada.send("stored nowhere")
	ada.waitStatus("connecting", "Connecting, 2 unsent")
	ada.expect("whether the browser asks", asks, "true")
	here.Start()
	here.AwaitReady()
	ada.waitMessages("stored on the device", "stored nowhere")
	ada.waitUpToDate()
	ada.expect("whether the browser asks", asks, "false")
	apptest.ExpectStoredOnce(t, redis, "lobby", 2)
}

// The browser closes the page's database if it is short of space, or if the user clears the site's
// data.
func TestCacheRecoversAfterTheDatabaseIsClosed(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUserWithWorker(t, "Ada")
	ada.join(server, "lobby")
	ada.send("one")
	ada.waitMessages("one")
	ada.waitCached("one")
	call(ada, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: server.URL(), StorageTypes: "indexeddb"})
	ada.send("two")
	ada.waitMessages("two")
	ada.wait("the database", `indexedDB.databases().then((all) => all.length)`)
	ada.waitCached("one", "two")
}

// A new service worker may take over while it cannot fetch anything. It must keep the pages that the
// previous one cached.
func TestNewServiceWorkerKeepsCachedPages(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	ada := newUserWithWorker(t, "Ada")
	ada.allowErrors(append(serverDownErrors, "404", "503")...)
	ada.join(server, "lobby")
	ada.send("kept")
	ada.waitMessages("kept")
	ada.waitCached("kept")

	// Rename the caches, as if another version had written them.
	ada.runScript(`
		for (const name of await caches.keys()) {
			const from = await caches.open(name), to = await caches.open(name.split("-")[0] + "-older");
			for (const request of await from.keys()) await to.put(request, await from.match(request));
			await caches.delete(name);
		}
		await (await navigator.serviceWorker.getRegistration()).unregister()`)
	redis.Pause()
	ada.open(server, "/nowhere")
	ada.runScript(`
		const { workerURL } = await import(document.querySelector("link[rel=stylesheet]").href.replace("style.css", "js/page/trusted-html.js"));
		const registration = await navigator.serviceWorker.register(workerURL());
		const { active } = await navigator.serviceWorker.ready;
		while (active.state !== "activated") await new Promise((resolve) => active.addEventListener("statechange", resolve, { once: true }))`)
	ada.open(server, "/r/lobby")
	ada.waitMessages("kept")
	redis.Resume()
	ada.waitUpToDate()
	ada.send("and on")
	ada.waitMessages("and on")
}

func TestOfflineEditOfAMessageDeletedElsewhereIsDropped(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUserWithWorker(t, "Ada")
	ada.allowErrors("ERR_INTERNET_DISCONNECTED")
	ada.join(server, "lobby")
	ada.send("hello")
	ada.waitMessages("hello")
	phone := ada.newDevice(server)
	phone.open(server, "/r/lobby")
	phone.waitUpToDate()
	ada.setOffline(true)
	ada.clickAction("hello", "edit")
	ada.typeText(" world")
	ada.press("Enter")
	ada.waitStatus("offline", "Offline, 1 unsent")
	phone.clickAction("hello", "delete")
	phone.click("#toolbar [name=delete]")
	phone.waitMessages("This message was deleted.")
	ada.setOffline(false)
	ada.waitMessages("This message was deleted.")
	ada.waitUpToDate()
}
