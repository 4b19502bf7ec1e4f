//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	cdpnetwork "github.com/chromedp/cdproto/network"
)

// Modules that are loaded when they are needed may not come: for want of a network, or
// because the server has those of another version by then.
func TestModulesThatDoNotComeAreAskedForAgain(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.forgive("ERR_BLOCKED_BY_CLIENT", "ERR_INTERNET_DISCONNECTED")
	ada.join(server, "lobby")
	bob.join(server, "tea")
	command(ada, cdpnetwork.SetBypassServiceWorker, cdpnetwork.SetBypassServiceWorkerParams{Bypass: true})
	come := func(come bool) {
		var pattern []*cdpnetwork.BlockPattern
		for _, name := range []string{"search", "calendar", "complete", "elsewhere", "topic", "theme"} {
			pattern = append(pattern, &cdpnetwork.BlockPattern{URLPattern: "*://*:*/*/" + name + ".js", Block: !come})
		}
		command(ada, cdpnetwork.SetBlockedURLs, cdpnetwork.SetBlockedURLsParams{URLPatterns: pattern})
	}
	anew := func() {
		ada.offline(true)
		ada.waitTruth("offline", "Offline")
		ada.offline(false)
		ada.upToDate()
	}

	come(false)
	ada.runs(`const key = crypto.randomUUID(); localStorage.setItem("burble:outbox:tea:" + key, JSON.stringify({ key, text: "from the lobby", at: 1, state: "waiting" }))`)
	anew()
	told := func() {
		t.Helper()
		ada.wait("to be told", `document.querySelector("#said").textContent === "That didn’t work. Try again in a moment."`)
		ada.runs(`document.querySelector("#said").replaceChildren()`)
	}
	for _, id := range []string{"open-search", "open-calendar", "theme"} {
		ada.click("#" + id)
		told()
	}
	topic := func() {
		t.Helper()
		ada.click("#topic-button")
		ada.wait("the topic to be asked for", `document.activeElement.matches("#topic input")`)
		ada.types("Tea")
		ada.press("Enter")
	}
	topic()
	told()
	ada.click("#composer textarea")
	ada.types("@A")
	ada.expect("what is offered", `String(document.querySelector("#offers"))`, "null")
	ada.wipe()

	come(true)
	topic()
	ada.wait("the topic", `document.querySelector("#topic-button").innerText.trim() === "Tea"`)
	anew()
	bob.shows("from the lobby")
	ada.click("#composer textarea")
	ada.types(":tad")
	ada.wait("what is offered", `document.querySelector("#offers li")`)
	ada.wipe()
	ada.click("#open-search")
	ada.wait("the search", `document.querySelector("#search").open`)
}
