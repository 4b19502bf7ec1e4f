//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/page"
)

// listedRooms is a JavaScript expression for the rooms in the list with their unread counts.
const listedRooms = `[...document.querySelectorAll("#room-list li")].map((row) =>
	row.querySelector("b").innerText + ":" + row.querySelector(".badge:not(.mentions)").firstElementChild.innerText).join()`

func TestRoomOpenedOfflineIsAsItWasLeft(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), there.SignIn("Bob")
	ada.allowErrors(serverDownErrors...)
	post := func(room string, texts ...string) {
		for _, text := range texts {
			there.Post(bob, room, client.NewKey(), text)
		}
	}
	post("lobby", "first")
	post("attic", "dust")
	ada.join(here, "attic")
	ada.waitSaved("attic", 1)
	post("cellar", "wine")
	ada.open(here, "/r/lobby")
	ada.waitMessages("first")
	ada.waitSaved("lobby", 1)

	// While Ada is not looking, messages arrive in the lobby and in another room.
	ada.runScript(`document.hasFocus = () => false`)
	post("lobby", "second", "third")
	post("attic", "spider")
	ada.wait("the counts", `document.title.startsWith("(2)") && document.querySelector("#other-unread").textContent === "1"`)
	ada.waitSaved("lobby", 3)
	here.Kill()

	// The lobby opens with its "New" line and its count, and its beginning is on screen.
	ada.open(here, "/r/attic")
	ada.waitMessages("dust")
	ada.wait("the last list of rooms", listedRooms+`.split(",").sort().join() === "attic:1,cellar:0,lobby:2"`)
	ada.open(here, "/r/lobby")
	ada.waitMessages("first", "second", "third")
	ada.wait("the New line", `document.querySelector("[data-first-unread] > .body")?.innerText === "second"`)
	const beginning = `document.querySelector("#older span").checkVisibility() && document.querySelector("#older span").innerText === "This is the beginning of lobby."`
	ada.wait("the beginning", beginning)
	ada.expect("the presence", `[...document.querySelectorAll("#room-list .present")].filter((one) => one.checkVisibility()).length + ""`, "0")
	here.Start()
	here.AwaitReady()
	ada.waitUpToDate()
	ada.wait("the beginning, still", beginning)
}

func TestRoomLeftImmediatelyDoesNotClaimToBeEmpty(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada := newUserWithWorker(t, "Ada")
	ada.allowErrors(serverDownErrors...)
	bob := there.SignIn("Bob")
	for _, text := range numbered(70) {
		there.Post(bob, "lobby", client.NewKey(), text)
	}
	there.Post(bob, "attic", client.NewKey(), "dust")
	ada.join(here, "attic")
	ada.waitSaved("attic", 1)
	ada.wait("the service worker", `navigator.serviceWorker.controller !== null`)
	ada.open(here, "/r/lobby")
	ada.wait("the page to be cached", `caches.match("/r/lobby")`)
	ada.open(here, "/")
	ada.wait("the list of rooms", `document.querySelector("#room-list a")`)
	ada.runScript(`indexedDB.open("burble").onsuccess = ({ target }) => target.result.transaction("rooms", "readwrite").objectStore("rooms").clear()`)
	ada.wait("no messages to be cached", `new Promise((done) => (indexedDB.open("burble").onsuccess = ({ target }) =>
		(target.result.transaction("rooms").objectStore("rooms").count().onsuccess = ({ target }) => done(target.result === 0))))`)
	here.Kill()
	ada.open(here, "/r/lobby")
	older := func(text string) string {
		return fmt.Sprintf(`document.querySelector("#older span").innerText === %q`, text)
	}
	ada.wait("the reason why there are no messages", older("The messages of this room are not saved on this device."))
	here.Start()
	here.AwaitReady()
	ada.waitUpToDate()
	ada.waitMessages("message 70")
	ada.runScript(`document.querySelector("#older a").click()`)
	ada.wait("older messages to load", `document.querySelectorAll("#messages article").length === 70`)
	ada.wait("the beginning", older("This is the beginning of lobby."))
}

// waitSaved waits until the page of a room and a number of its messages are saved on the device.
func (u *user) waitSaved(room string, messages int) {
	u.t.Helper()
	u.wait("the page of "+room+" to be saved", fmt.Sprintf(`caches.match("/r/%s")`, room))
	u.wait("the messages of "+room+" to be saved", fmt.Sprintf(`new Promise((done) => (indexedDB.open("burble").onsuccess = ({ target }) =>
		(target.result.transaction("rooms").objectStore("rooms").get(document.body.dataset.user + " %s").onsuccess = ({ target }) =>
			done(target.result?.entries.length === %d))))`, room, messages))
}

// A room may begin with its topic instead of a message. The page still shows the beginning of the room: when the server
// renders it, when it is opened without a network, and after all of its older messages have been loaded.
func TestRoomThatBeginsWithItsTopic(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	here, ada, bob := newOfflineReader(t)
	bob.setTopic("lobby", "Tea")
	bob.send("lobby", "first")
	beginning := func(when string) {
		t.Helper()
		ada.expect("the beginning "+when, `document.querySelector("#older").innerText.trim()`, "This is the beginning of lobby.")
	}
	ada.join(here, "lobby")
	beginning("of the page")
	ada.waitSaved("lobby", 1)
	here.Kill()
	ada.open(here, "/r/lobby")
	ada.waitMessages("first")
	beginning("without a network")
	here.Start()
	here.AwaitReady()
	ada.waitUpToDate()
	for _, text := range numbered(70) {
		bob.send("lobby", text)
	}
	ada.waitMessages("message 70")
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	ada.runScript(`document.querySelector("#older a").click()`)
	ada.wait("older messages to load", `document.querySelectorAll("#messages article").length === 71`)
	beginning("of all messages")

	// If the user has read only the topic, the New line is above the first message.
	bob.setTopic("attic", "Dust")
	ada.open(here, "/r/attic")
	ada.waitUpToDate()
	beginningOfAttic := `document.querySelector("#older").innerText.trim() === "This is the beginning of attic."`
	ada.wait("the beginning of the attic", beginningOfAttic)
	ada.wait("the topic to be read", `localStorage["burble:read:attic"]`)
	ada.runScript(`document.hasFocus = () => false`)
	bob.send("attic", "spider")
	ada.expectNewLine("spider")
	ada.open(here, "/")
	ada.waitUnread("attic", 1, 0)
	ada.open(here, "/r/attic")
	ada.expectNewLine("spider")
	ada.wait("the beginning of the attic", beginningOfAttic)
}

// noLongTimers is a script that makes setTimeout ignore delays of a second or more.
const noLongTimers = `{
	const set = setTimeout;
	globalThis.setTimeout = (run, delay = 0) => delay < 1_000 ? set(run, delay) : 0;
}`

func TestRoomLeftWithinASecondIsSaved(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	here, ada, bob := newOfflineReader(t)
	bob.send("attic", "dust")
	bob.send("lobby", "first")
	ada.join(here, "attic")
	ada.waitSaved("attic", 1)
	ada.wait("the service worker", `navigator.serviceWorker.controller !== null`)
	call(ada, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: noLongTimers})
	ada.open(here, "/r/lobby")
	ada.waitSaved("lobby", 1)
	ada.open(here, "/")
	here.Kill()
	ada.open(here, "/r/Lobby") // the server would redirect to /r/lobby
	ada.waitMessages("first")
	ada.expect("the path", `location.pathname`, "/r/lobby")
}
