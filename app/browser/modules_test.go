//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	cdpnetwork "github.com/chromedp/cdproto/network"
)

// A module that loads on demand may fail to load, because there is no network or because the server
// now has another version of it.
func TestFailedModulesLoadOnTheNextAttempt(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors("ERR_BLOCKED_BY_CLIENT", "ERR_INTERNET_DISCONNECTED")
	ada.join(server, "lobby")
	bob.join(server, "tea")
	call(ada, cdpnetwork.SetBypassServiceWorker, cdpnetwork.SetBypassServiceWorkerParams{Bypass: true})
	block := func(block bool) {
		var patterns []*cdpnetwork.BlockPattern
		for _, name := range []string{"search", "calendar", "autocomplete", "other-outboxes", "topic", "theme"} {
			patterns = append(patterns, &cdpnetwork.BlockPattern{URLPattern: "*://*:*/*/" + name + ".js", Block: block})
		}
		call(ada, cdpnetwork.SetBlockedURLs, cdpnetwork.SetBlockedURLsParams{URLPatterns: patterns})
	}
	reconnect := func() {
		ada.setOffline(true)
		ada.waitStatus("offline", "Offline")
		ada.setOffline(false)
		ada.waitUpToDate()
	}

	block(true)
	// As if another tab had written the message and been closed.
	ada.runScript(`const key = crypto.randomUUID(), name = "burble:outbox:tea:" + key;
		localStorage.setItem(name, JSON.stringify({ key, text: "from the lobby", at: 1, state: "waiting" }));
		dispatchEvent(new StorageEvent("storage", { key: name }))`)
	reconnect()
	waitError := func() {
		t.Helper()
		ada.wait("the error", `document.querySelector("#toast").textContent === "That didn’t work. Try again in a moment."`)
		ada.runScript(`document.querySelector("#toast").replaceChildren()`)
	}
	for _, id := range []string{"open-search", "open-calendar", "theme"} {
		ada.click("#" + id)
		waitError()
	}
	setTopic := func() {
		t.Helper()
		ada.click("#topic-button")
		ada.wait("the topic's field", `document.activeElement.matches("#topic input")`)
		ada.typeText("Tea")
		ada.press("Enter")
	}
	setTopic()
	waitError()
	ada.click("#composer textarea")
	ada.typeText("@A")
	ada.expect("the list of completions", `String(document.querySelector("#suggestions"))`, "null")
	ada.clearField()

	block(false)
	setTopic()
	ada.wait("the topic", `document.querySelector("#topic-button").innerText.trim() === "Tea"`)
	reconnect()
	bob.waitMessages("from the lobby")
	ada.click("#composer textarea")
	ada.typeText(":tad")
	ada.wait("the completions", `document.querySelector("#suggestions li")`)
	ada.clearField()
	ada.click("#open-search")
	ada.wait("the search", `document.querySelector("#search")?.open`)
}
