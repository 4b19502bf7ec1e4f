//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

func TestUnreadCountsAndReadMarkersAcrossDevices(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	bob.send("first")
	ada.waitMessages("first")
	ada.send("seen")
	phone := ada.newDevice(there)
	phone.open(there, "/r/kitchen")
	phone.waitUpToDate()

	// All devices count messages as unread while Ada's page is hidden.
	show := ada.hide()
	bob.send("second")
	bob.send("third, @Ada")
	bob.send("a slip")
	phone.waitUnread("lobby", 3, 1)
	phone.expect("whether the row also shows people", `String(document.querySelector('#room-list [href="/r/lobby"] .present').checkVisibility())`, "false")
	phone.expect("the title", `document.title`, "(1) #kitchen · Burble")
	ada.wait("the count in the title", `document.title === "(3) #lobby · Burble"`)
	bob.clickAction("a slip", "delete")
	bob.click("#toolbar [name=delete]")
	phone.waitUnread("lobby", 2, 1)
	ada.wait("the count in the title", `document.title === "(2) #lobby · Burble"`)

	// Once the page is visible, all devices count them as read. The New line stays.
	show()
	phone.waitUnread("lobby", 0, 0)
	phone.wait("no count in the title", `document.title === "#kitchen · Burble"`)
	ada.wait("no count in the title", `document.title === "#lobby · Burble"`)
	bob.send("fourth")
	ada.waitMessages("fourth")
	ada.wait("no count in the title", `document.title === "#lobby · Burble"`)
	ada.expectNewLine("second")

	token := here.SignIn("Cleo")
	expectReadAfterAbsence(here, token, ada, phone)

	// The page remembers messages that were read just before the user left, even if the server does
	// not know yet.
	ada.open(here, "/")
	_, response := here.Post(token, "lobby", client.NewKey(), "read in a hurry")
	phone.waitUnread("lobby", 1, 0)
	ada.runScript(fmt.Sprintf(`localStorage["burble:read:lobby"] = document.body.dataset.user + " %s"`, apptest.PostedID(t, response)))
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	ada.wait("no New line and no link", `!document.querySelector("[data-first-unread]") && document.querySelector("#unread").hidden`)
	phone.waitUnread("lobby", 0, 0)
	phone.open(there, "/r/lobby")
	phone.waitUpToDate()
	expectMatchesServer(t, here, "lobby", ada, bob, phone)
}

// After an absence, the New line is above the first new message, and a link leads up to it.
func expectReadAfterAbsence(here *apptest.Server, token string, ada, phone *user) {
	ada.t.Helper()
	ada.open(here, "/")
	for i := range 39 {
		here.Post(token, "lobby", client.NewKey(), fmt.Sprintf("meanwhile %d", i))
	}
	ada.waitUnread("lobby", 39, 0)
	ada.open(here, "/r/lobby")
	ada.expectNewLine("meanwhile 0")
	ada.expect("the link up", `document.querySelector("#unread").innerText`, "39 new messages")

	// Seeing the end of the room does not mark the messages above as read.
	ada.waitUpToDate()
	ada.open(here, "/")
	ada.waitUnread("lobby", 39, 0)
	ada.open(here, "/r/lobby")
	ada.expectNewLine("meanwhile 0")
	ada.expect("the link up", `document.querySelector("#unread").innerText`, "39 new messages")
	phone.waitUnread("lobby", 0, 0)
	ada.click("#unread")
	ada.wait("the New line in view", `document.querySelector("[data-first-unread]").getBoundingClientRect().top > 0 && document.querySelector("#unread").hidden`)
	ada.wait("the focus on it", `document.activeElement === document.querySelector("[data-first-unread]")`)
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	ada.wait("no New line", `!document.querySelector("[data-first-unread]")`)
}

// expectNewLine waits for the message with the text, and checks that the only New line is above it.
func (u *user) expectNewLine(text string) {
	u.t.Helper()
	u.waitMessages(text)
	u.expect("the first new message", `[...document.querySelectorAll("[data-first-unread] .body")].map((body) => body.innerText.trim()).join(", ")`, text)
}
