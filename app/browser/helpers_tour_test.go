//go:build unix

package browser

import (
	"fmt"
	"strings"

	"burble/app/apptest"
	"burble/app/client"
)

// checkState checks one state of a page on each of the screens. It may leave the page on another
// screen.
type checkState func(u *user, state string, screens ...device)

// tour opens the pages in each of their states, and checks each state on the big screen, the small one, or
// both.
func (s *sample) tour(big, small device, check checkState) {
	s.t.Helper()
	s.tourSignedOut(big, small, check)
	s.ada.emulate(big, "light")
	s.tourRooms(big, small, check)
	s.tourPanels(big, small, check)
	s.tourLongTexts(big, small, check)
	s.tourFiles(big, small, check)
	s.tourFailures(big, small, check)
}

// tourSignedOut checks the pages that a visitor without a name sees.
func (s *sample) tourSignedOut(big, small device, check checkState) {
	s.t.Helper()
	visitor := newUser(s.t, "a visitor")
	visitor.allowErrors("404")
	for _, page := range []struct{ state, path string }{
		{"home signed out", "/"}, {"room signed out", "/r/lobby"}, {"empty room", "/r/empty"}, {"not found", "/nowhere"},
	} {
		visitor.open(s.Server, page.path)
		check(visitor, page.state, big, small)
	}
}

// tourRooms checks the room and the home page while new messages arrive.
func (s *sample) tourRooms(big, small device, check checkState) {
	s.t.Helper()
	ada := s.ada
	for _, room := range []string{"deploy", "lobby"} {
		ada.open(s.Server, "/r/"+room)
		ada.waitUpToDate()
	}
	s.guests["Margaret"].send("deploy", "Next one at noon, @Ada")
	s.guests["Margaret"].send("deploy", "Anyone else?")
	s.guests["Grace"].follow("lobby")
	s.guests["Hedy"].follow("lobby")
	ada.wait("three people", `document.querySelector("#people-count").textContent === "3"`)
	check(ada, "room", big, small)
	ada.emulate(big, "light")
	ada.runScript(`document.querySelector("#messages").scrollIntoView()`)
	s.guests["Grace"].send("lobby", "And the last machine is up.")
	ada.wait("the jump button", `document.querySelector("#jump").checkVisibility()`)
	check(ada, "room scrolled up", big, small)
	ada.open(s.Server, "/")
	s.guests["Hedy"].send("lobby", "@Ada, all green here. Lunch?")
	ada.wait("the count of mentions", `document.querySelector('[href="/r/lobby"] .mentions').checkVisibility()`)
	check(ada, "home", big, small)
	ada.open(s.Server, "/r/lobby")
	ada.waitUpToDate()
	check(ada, "new messages", big, small)
}

// tourPanels checks everything that opens over the page.
func (s *sample) tourPanels(big, small device, check checkState) {
	s.t.Helper()
	ada := s.ada
	ada.emulate(big, "light")
	ada.runScript(`document.querySelector("#open-search").click()`)
	ada.wait("the search", `document.querySelector("#search")?.open`)
	ada.typeText("the")
	ada.press("Enter")
	ada.wait("the end of the search", `document.querySelector("#search [role=status]").textContent.includes("whole room")`)
	check(ada, "search", big, small)
	ada.press("Escape")
	ada.runScript(`document.querySelector("#open-calendar").click()`)
	ada.wait("the calendar", `document.querySelector("#calendar")?.open`)
	check(ada, "calendar", big, small)
	ada.press("Escape")
	ada.emulate(big, "light")
	ada.runScript(`document.querySelector("#open-keys").click()`)
	ada.wait("the keyboard shortcuts", `document.querySelector("#keys")?.matches(":popover-open")`)
	check(ada, "keys", big, small)
	ada.press("Escape")
	for _, panel := range []string{"terminal", "topic", "rooms", "people", "tools"} {
		screens := []device{big, small}
		if panel == "rooms" || panel == "people" || panel == "tools" {
			screens = screens[1:] // A big screen always shows them.
		}
		ada.emulate(screens[0], "light")
		ada.runScript(`document.querySelector("#` + panel + `").showPopover()`)
		check(ada, panel, screens...)
		ada.press("Escape")
	}
	for _, screen := range []device{big, small} {
		ada.emulate(screen, "light")
		ada.runScript(`document.querySelector("#composer textarea").focus()`)
		ada.focusByKey("Shift+Tab", "#messages *")
		ada.press("ArrowUp", "ArrowUp")
		ada.wait("the toolbar", `document.querySelector("#toolbar").checkVisibility()`)
		check(ada, "toolbar", screen)
		ada.emulate(screen, "light")
		ada.press("Enter", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
		ada.wait("the emoji picker", `document.querySelector("#picker")?.checkVisibility()`)
		check(ada, "emoji picker", screen)
		ada.press("Escape")
		ada.wait("the toolbar to close", `document.querySelector("#toolbar").hidden`)
	}
	ada.runScript(`document.querySelector("#composer textarea").focus()`)
	ada.typeText("Agreed, ")
	ada.typeText("@")
	ada.wait("the completions", `document.querySelector("#suggestions li")`)
	check(ada, "completions", big, small)
	ada.press("Enter")
}

// tourLongTexts checks a room in which every text has the maximum length.
func (s *sample) tourLongTexts(big, small device, check checkState) {
	s.t.Helper()
	room := strings.Repeat("room", 16)
	author := newGuest(s.t, s.Server, strings.Repeat("W", 40))
	author.setTopic(room, strings.Repeat("topics", 20))
	first := author.send(room, strings.Repeat("word", 50)+" https://example.com/"+strings.Repeat("path", 50))
	author.reply(room, first, "```\n"+strings.Repeat("code", 50)+"\n```\n> "+strings.Repeat("quote", 50))
	s.ada.open(s.Server, "/r/"+room)
	s.ada.waitUpToDate()
	check(s.ada, "long texts", big, small)
	s.ada.open(s.Server, "/r/lobby")
	s.ada.waitUpToDate()
}

// tourFiles checks pictures, other files and a link preview, in messages and in the composer, and the picture viewer.
func (s *sample) tourFiles(big, small device, check checkState) {
	s.t.Helper()
	ada := s.ada
	hills, tower := pictureFile(s.t, "hills.png", 1200, 800, teal), pictureFile(s.t, "tower.png", 300, 900, orange)
	notes := writeFile(s.t, strings.Repeat("minutes-", 20)+".txt", []byte("buy milk"))
	grace := s.guests["Grace"].token
	postFiles(s.t, s.Server, grace, "design", "", hills)
	postFiles(s.t, s.Server, grace, "design", "Three more", hills, tower, hills, notes)
	ada.emulate(big, "light")
	ada.open(s.Server, "/r/design")
	ada.waitUpToDate()
	ada.insertText(s.site.URL + "/pictured ")
	ada.waitCard("Page pictured")
	check(ada, "link preview", big, small)
	ada.emulate(big, "light")
	ada.press("Enter")
	ada.waitMessages(s.site.URL + "/pictured")
	ada.attach(tower)
	check(ada, "files", big, small)
	ada.runScript(`document.querySelector(".picture").click()`)
	ada.wait("the viewer", `document.querySelector("#viewer")?.open`)
	check(ada, "viewer", big, small)
	ada.press("Escape")
	ada.emulate(big, "light")
	ada.click(`.attached [name=remove]`)
	ada.open(s.Server, "/r/lobby")
	ada.waitUpToDate()
}

// tourFailures checks what the page shows when something goes wrong.
func (s *sample) tourFailures(big, small device, check checkState) {
	s.t.Helper()
	ada := s.ada
	ada.emulate(big, "light")
	ada.allowErrors("ERR_")
	ada.setOffline(true)
	ada.waitStatus("offline", "Offline")
	ada.send("is it lunch?")
	ada.wait("the waiting message", `document.querySelector("#messages .message[data-state=waiting] .delivery")?.checkVisibility()`)
	check(ada, "waiting message", big, small)
	// The server refuses a reply to a message that does not exist.
	ada.runScript(`const name = Object.keys(localStorage).find((one) => one.startsWith("burble:outbox:lobby:"));
		localStorage.setItem(name, JSON.stringify({ ...JSON.parse(localStorage.getItem(name)), reply_to: "1-1" }))`)
	ada.setOffline(false)
	ada.open(s.Server, "/r/lobby")
	ada.wait("the failed message", `document.querySelector("#messages .message[data-state=failed] .delivery")?.checkVisibility()`)
	check(ada, "failed message", big, small)
	ada.emulate(big, "light")
	ada.click(`#messages [name=discard]`)
	ada.waitUpToDate()

	// While the server is paused, messages arrive and most of them are trimmed.
	other := apptest.Start(s.t, s.redis)
	s.Pause()
	for n := range 9 {
		other.Post(s.guests["Grace"].token, "lobby", client.NewKey(), fmt.Sprintf("Message %d sent meanwhile", n+1))
	}
	s.trim(3)
	s.Resume()
	ada.wait("the gap", `document.querySelector(".gap")`)
	check(ada, "gap", big, small)
	ada.waitCached("Message 7 sent meanwhile", "Message 8 sent meanwhile", "Message 9 sent meanwhile")
	s.Kill()
	other.Kill()
	ada.setOffline(true)
	ada.open(s.Server, "/r/lobby")
	ada.wait("the status offline", `document.querySelector("#status")?.dataset.state === "offline"`)
	ada.waitMessages("Message 9 sent meanwhile")
	check(ada, "offline", big, small)
}
