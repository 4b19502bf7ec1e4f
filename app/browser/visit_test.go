//go:build unix

package browser

import (
	"fmt"
	"strings"

	"burble/app/apptest"

	"github.com/google/uuid"
)

// visit shows one after another what the pages can show, and has it looked at: with a
// big device, with a small one, or with both.
func (s *scene) visit(big, small device, look func(p *browserPerson, what string, devices ...device)) {
	s.t.Helper()
	s.strange(big, small, look)
	ada := s.ada
	ada.looksWith(big, "light")
	s.news(big, small, look)
	s.panels(big, small, look)
	s.lengths(big, small, look)
	s.troubles(big, small, look)
}

// strange is what somebody sees who has given no name.
func (s *scene) strange(big, small device, look func(*browserPerson, string, ...device)) {
	stranger := newBrowserPerson(s.ada.t, "a stranger")
	for _, one := range []struct{ what, path string }{
		{"first", "/"}, {"stranger", "/r/lobby"}, {"empty", "/r/empty"}, {"error", "/nowhere"},
	} {
		stranger.forgive("404")
		stranger.open(s.Server, one.path)
		look(stranger, one.what, big, small)
	}
}

// news is what Ada finds who has been away.
func (s *scene) news(big, small device, look func(*browserPerson, string, ...device)) {
	ada := s.ada
	for _, room := range []string{"deploy", "lobby"} {
		ada.open(s.Server, "/r/"+room)
		ada.upToDate()
	}
	s.says("Margaret", "deploy", map[string]any{"type": "send", "text": "Next one at noon, @Ada"})
	s.says("Margaret", "deploy", map[string]any{"type": "send", "text": "Anyone else?"})
	for _, who := range []string{"Grace", "Hedy"} {
		there, err := dial(s.URL(), s.tokens[who])
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(there.cut)
		there.say(map[string]any{"type": "follow", "room": "lobby", "last": 0})
	}
	ada.wait("three people", `document.querySelector("#people-count").textContent === "3"`)
	look(ada, "room", big, small)
	ada.looksWith(big, "light")
	ada.runs(`document.querySelector("#messages").scrollIntoView()`)
	s.says("Grace", "lobby", map[string]any{"type": "send", "text": "And the last machine is up."})
	ada.wait("the button", `document.querySelector("#jump").checkVisibility()`)
	look(ada, "past", big, small)
	ada.open(s.Server, "/")
	s.says("Hedy", "lobby", map[string]any{"type": "send", "text": "@Ada, all green here. Lunch?"})
	ada.wait("the count", `document.querySelector('[href="/r/lobby"] .at').checkVisibility()`)
	look(ada, "home", big, small)
	ada.open(s.Server, "/r/lobby")
	ada.upToDate()
	look(ada, "new", big, small)
}

// panels is everything that opens.
func (s *scene) panels(big, small device, look func(*browserPerson, string, ...device)) {
	ada := s.ada
	ada.looksWith(big, "light")
	ada.runs(`document.querySelector("#open-search").click()`)
	ada.wait("the search", `document.querySelector("#search").open`)
	ada.types("the")
	ada.press("Enter")
	ada.wait("the search to end", `document.querySelector("#search [role=status]").textContent.includes("message")`)
	look(ada, "search", big, small)
	ada.press("Escape")
	ada.runs(`document.querySelector("#open-calendar").click()`)
	ada.wait("the calendar", `document.querySelector("#calendar").open`)
	look(ada, "calendar", big, small)
	ada.press("Escape")
	for _, panel := range []string{"keys", "terminal", "topic", "rooms", "people", "tools"} {
		devices := []device{big, small}
		if panel == "rooms" || panel == "people" || panel == "tools" {
			devices = devices[1:] // They are always there on a big one.
		}
		ada.looksWith(devices[0], "light")
		ada.runs(`document.querySelector("#` + panel + `").showPopover()`)
		look(ada, panel, devices...)
		ada.press("Escape")
	}
	for _, with := range []device{big, small} {
		ada.looksWith(with, "light")
		ada.runs(`document.querySelector("#composer textarea").focus()`)
		ada.press("Shift+Tab", "ArrowUp", "ArrowUp")
		ada.wait("the toolbar", `document.querySelector("#toolbar").checkVisibility()`)
		look(ada, "toolbar", with)
		ada.looksWith(with, "light")
		ada.press("Enter", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
		ada.wait("the emoji", `document.querySelector("#picker")?.checkVisibility()`)
		look(ada, "picker", with)
		ada.press("Escape")
		ada.wait("the toolbar to be gone", `document.querySelector("#toolbar").hidden`)
	}
	ada.runs(`document.querySelector("#composer textarea").focus()`)
	ada.types("Agreed, ")
	ada.types("@")
	ada.wait("the offers", `document.querySelector("#offers li")`)
	look(ada, "offers", big, small)
	ada.press("Enter")
}

// lengths is a room in which everything is as long as it may be.
func (s *scene) lengths(big, small device, look func(*browserPerson, string, ...device)) {
	room := strings.Repeat("room", 16)
	s.tokens["long"] = s.SignIn(strings.Repeat("W", 40))
	s.says("long", room, map[string]any{"type": "topic", "text": strings.Repeat("topics", 20)})
	first := s.says("long", room, map[string]any{"type": "send", "text": strings.Repeat("word", 50) + " https://example.com/" + strings.Repeat("path", 50)})
	answer := "```\n" + strings.Repeat("code", 50) + "\n```\n> " + strings.Repeat("quote", 50)
	s.says("long", room, map[string]any{"type": "send", "text": answer, "reply_to": first})
	s.ada.open(s.Server, "/r/"+room)
	s.ada.upToDate()
	look(s.ada, "lengths", big, small)
	s.ada.open(s.Server, "/r/lobby")
	s.ada.upToDate()
}

// troubles is what is shown when something is wrong.
func (s *scene) troubles(big, small device, look func(*browserPerson, string, ...device)) {
	ada := s.ada
	ada.looksWith(big, "light")
	ada.forgive("ERR_")
	ada.offline(true)
	ada.waitTruth("offline", "Offline")
	ada.write("is it lunch?")
	ada.wait("one to wait", `document.querySelector("#messages .message[data-state=waiting] .fate")?.checkVisibility()`)
	look(ada, "waiting", big, small)
	// An answer to nothing is refused.
	ada.runs(`const name = Object.keys(localStorage).find((one) => one.startsWith("burble:outbox:lobby:"));
		localStorage.setItem(name, JSON.stringify({ ...JSON.parse(localStorage.getItem(name)), reply_to: "1-1" }))`)
	ada.offline(false)
	ada.open(s.Server, "/r/lobby")
	ada.wait("the refusal", `document.querySelector("#messages .message[data-state=failed] .fate")?.checkVisibility()`)
	look(ada, "failed", big, small)
	ada.looksWith(big, "light")
	ada.click(`#messages [name=discard]`)
	ada.upToDate()

	// The server stops for a moment. Meanwhile messages come, and most are trimmed away.
	there := apptest.Start(s.t, s.redis)
	s.Pause()
	for n := range 9 {
		there.Post(s.tokens["Grace"], "lobby", uuid.NewString(), fmt.Sprintf("Line %d of what was said meanwhile", n+1))
	}
	s.trim(3)
	s.Resume()
	ada.wait("the gap", `document.querySelector(".gap")`)
	look(ada, "gap", big, small)
	ada.keeps("Line 7 of what was said meanwhile", "Line 8 of what was said meanwhile", "Line 9 of what was said meanwhile")
	s.Kill()
	there.Kill()
	ada.offline(true)
	ada.open(s.Server, "/r/lobby")
	ada.wait("being offline", `document.querySelector("#truth").dataset.state === "offline"`)
	ada.shows("Line 9 of what was said meanwhile")
	look(ada, "offline", big, small)
}
