//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestUnreadIsCountedAndReadOnOneDeviceIsReadOnAll(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	bob.write("first")
	ada.shows("first")
	ada.write("seen")
	phone := ada.onAnotherDevice(there)
	phone.open(there, "/r/kitchen")
	phone.upToDate()

	// Where I do not look it is counted, in every browser of mine, as it comes.
	back := ada.looksAway()
	bob.write("second")
	bob.write("third, @Ada")
	bob.write("a slip")
	phone.waitCount("lobby", 3, 1)
	phone.expect("whether people take room from the name", `String(document.querySelector('#room-list [href="/r/lobby"] .here').checkVisibility())`, "false")
	phone.expect("the title", `document.title`, "(1) #kitchen · Burble")
	ada.wait("the count in the title", `document.title === "(3) #lobby · Burble"`)
	bob.does("a slip", "delete")
	bob.click("#toolbar [name=delete]")
	phone.waitCount("lobby", 2, 1)
	ada.wait("the count in the title", `document.title === "(2) #lobby · Burble"`)

	// Looked at, it is read, here and there, and the line stays where it was.
	back()
	phone.waitCount("lobby", 0, 0)
	phone.wait("no count in the title", `document.title === "#kitchen · Burble"`)
	ada.wait("no count in the title", `document.title === "#lobby · Burble"`)
	bob.write("fourth")
	ada.shows("fourth")
	ada.wait("no count in the title", `document.title === "#lobby · Burble"`)
	ada.expectNew("second")

	// After an absence the line is above what came meanwhile, and a link leads up to it.
	ada.open(here, "/")
	token := here.SignIn("Cleo")
	for i := range 39 {
		here.Post(token, "lobby", uuid.NewString(), fmt.Sprintf("meanwhile %d", i))
	}
	ada.waitCount("lobby", 39, 0)
	ada.open(here, "/r/lobby")
	ada.expectNew("meanwhile 0")
	ada.expect("the link up to it", `document.querySelector("#unread").innerText`, "39 new messages")

	// A glance at the end is not having read it.
	ada.upToDate()
	ada.open(here, "/")
	ada.waitCount("lobby", 39, 0)
	ada.open(here, "/r/lobby")
	ada.expectNew("meanwhile 0")
	ada.expect("the link up to it", `document.querySelector("#unread").innerText`, "39 new messages")
	phone.waitCount("lobby", 0, 0)
	ada.click("#unread")
	ada.wait("the line to be in view", `document.querySelector("[data-new]").getBoundingClientRect().top > 0 && document.querySelector("#unread").hidden`)
	ada.wait("the focus to be there", `document.activeElement === document.querySelector("[data-new]")`)
	ada.open(here, "/r/lobby")
	ada.upToDate()
	ada.wait("no line, all is read", `!document.querySelector("[data-new]")`)

	// What was read just before the page was left is read, though the server was not told.
	ada.open(here, "/")
	_, answer := here.Post(token, "lobby", uuid.NewString(), "read in a hurry")
	phone.waitCount("lobby", 1, 0)
	see[bool](ada, fmt.Sprintf("(localStorage[%q] = document.body.dataset.user + %q) !== ''", "burble:read:lobby", " "+apptest.PostedID(t, answer)))
	ada.open(here, "/r/lobby")
	ada.upToDate()
	ada.wait("no line and no link to it", `!document.querySelector("[data-new]") && document.querySelector("#unread").hidden`)
	phone.waitCount("lobby", 0, 0)
	phone.open(there, "/r/lobby")
	phone.upToDate()
	expectStream(t, here, "lobby", ada, bob, phone)
}

// waitCount waits until the list of rooms counts so many unread messages and mentions.
func (p *browserPerson) waitCount(room string, unread, mentions int) {
	p.t.Helper()
	count := func(badge string, want int) string {
		return fmt.Sprintf(`((badge) => badge && (badge.hidden ? 0 : Number(badge.firstElementChild.textContent)) === %d)(document.querySelector('#room-list a[href="/r/%s"] .badge%s'))`, want, room, badge)
	}
	p.wait(fmt.Sprintf("%d unread, %d of them mentions, in %s", unread, mentions, room), count(":not(.at)", unread)+" && "+count(".at", mentions))
}

// expectNew checks that the New line is above the message with the text, and nowhere else.
func (p *browserPerson) expectNew(text string) {
	p.t.Helper()
	p.shows(text)
	p.expect("what is new", `[...document.querySelectorAll("[data-new] .body")].map((body) => body.innerText.trim()).join(", ")`, text)
}
