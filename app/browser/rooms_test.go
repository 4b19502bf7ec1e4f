//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/emulation"
	"github.com/google/uuid"
)

func TestKeysGoBetweenRoomsAndMakeThem(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	cleo := there.SignIn("Cleo")
	for _, room := range []string{"attic", "kitchen", "lobby"} {
		there.Post(cleo, room, uuid.NewString(), "hello "+room)
	}
	ada.join(here, "lobby")

	ada.press("?")
	if got := ada.writing(); got != "?" {
		t.Errorf("while writing ? is a letter, but the composer has %q", got)
	}
	ada.wipe()
	ada.click("#scroller")
	ada.press("?")
	ada.wait("the keys", `document.querySelector("#keys").matches(":popover-open")`)
	ada.press("Escape")
	ada.wait("no keys", `!document.querySelector(":popover-open")`)

	// By typing a part of its name; one that is not there is made.
	ada.press("Control+k")
	ada.types("kit")
	ada.press("Enter")
	ada.at("/r/kitchen")

	// A whole name means that room, whatever has it in its name and is newer.
	there.Post(cleo, "kit", uuid.NewString(), "hello kit")
	there.Post(cleo, "kitchen", uuid.NewString(), "newer")
	ada.open(here, "/r/lobby")
	ada.upToDate()
	ada.press("Control+k")
	ada.types("kit")
	ada.expect("what Enter opens", `[...document.querySelectorAll("#room-list li:not([hidden]) b")].map((name) => name.innerText).join()`, "kit,kitchen")
	ada.press("Enter")
	ada.at("/r/kit")
	ada.press("Control+k")
	ada.types("Garden Shed")
	ada.expect("what is offered", `document.querySelector("#room-list li:not([hidden])").innerText.replace(/\s+/g, " ").trim()`, "# garden-shed create this room")
	ada.press("Enter")
	ada.at("/r/garden-shed")
	ada.press("Control+k")
	ada.types("日本")
	ada.press("Enter")
	ada.expect("why there is no such room", `document.querySelector("#room-list li:not([hidden])").innerText`, "Room names can only contain a-z, 0-9, - and _.")
	ada.press("Escape")
	ada.wait("the rooms", `document.querySelectorAll("#room-list li:not([hidden]) a").length === 5`)
	ada.click("#composer textarea")
	ada.write("first in the shed")
	ada.shows("first in the shed")

	// It appears for others when they look again; step by step to it.
	bob.join(there, "attic")
	bob.expect("the rooms", `[...document.querySelectorAll("#room-list b")].map((name) => name.innerText).join()`, "garden-shed,kitchen,kit,lobby,attic")
	bob.press("Alt+ArrowUp")
	bob.at("/r/lobby")
	bob.press("Alt+ArrowDown")
	bob.at("/r/attic")
	bob.press("Alt+ArrowDown") // Around the end.
	bob.at("/r/garden-shed")
	bob.shows("first in the shed")
	bob.write("me too")
	ada.shows("me too")
	expectStream(t, here, "garden-shed", ada, bob)

	// The theme is kept, and there from the first byte of the next page.
	const shown = `[document.documentElement.dataset.theme, document.querySelector("#theme").title,
		...[...document.querySelectorAll("meta[name=theme-color]")].map(({ content, media }) => content + media)].join()`
	for _, theme := range []string{"light", "dark", "system"} {
		ada.click("#theme")
		ada.wait("the theme "+theme, fmt.Sprintf(`document.querySelector("#theme").title === "Theme: %s"`, theme))
		before := see[string](ada, shown)
		ada.open(here, "/r/lobby")
		ada.expect("the theme", shown, before)
		if theme == "dark" {
			ada.expect("its colour", `getComputedStyle(document.body).colorScheme`, "dark")
		}
	}
}

// On a Mac Alt-arrows, there Option-arrows, take the caret from paragraph to paragraph.
func TestOptionArrowsOfAMacStayWhereOneWrites(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	cleo := server.SignIn("Cleo")
	for _, room := range []string{"attic", "lobby"} {
		server.Post(cleo, room, uuid.NewString(), "hello "+room)
	}
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	command(ada, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "A Mac's", Platform: "MacIntel"})
	ada.open(server, "/r/lobby")
	ada.upToDate()
	ada.runs(`document.addEventListener("keydown", (event) => (globalThis.taken ??= []).push(event.defaultPrevented))`)
	ada.click("#composer textarea")
	ada.types("a")
	ada.press("Alt+ArrowUp", "Alt+ArrowDown")
	ada.expect("which keys were taken", `taken.join()`, "false,false,false")
	ada.wipe()
	ada.press("Alt+ArrowUp")
	ada.at("/r/attic")
}

// at waits until the page is the one at that path, and up to date.
func (p *browserPerson) at(path string) {
	p.t.Helper()
	p.wait("being at "+path, `location.pathname === "`+path+`" && document.readyState === "complete"`)
	p.upToDate()
}

func TestHomeOpensWhatItOffers(t *testing.T) {
	t.Parallel()
	here := apptest.Start(t, redistest.Start(t))
	here.Post(here.SignIn("Cleo"), "kitchen", uuid.NewString(), "hello")
	ada := newBrowserPerson(t, "Ada")
	ada.open(here, "/")
	field := `document.querySelector("#find input")`
	ada.wait("the script", `!`+field+`.pattern`)
	ada.click("#find input")
	ada.types("тест")
	ada.expect("why there is no such room", `document.querySelector("#room-list li:not([hidden])").innerText`, "Room names can only contain a-z, 0-9, - and _.")
	ada.press("Enter")
	ada.wipe()
	ada.types("My Room")
	ada.expect("what is offered", `document.querySelector("#room-list li:not([hidden])").innerText.replace(/\s+/g, " ").trim()`, "# my-room create this room")
	ada.press("Enter")
	ada.at("/r/my-room")
}

func TestHomeShowsTheFirstRoomWhenItIsMade(t *testing.T) {
	t.Parallel()
	here := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.open(here, "/")
	ada.wait("the script", `!document.querySelector("#find input").pattern`)
	ada.expect("what is said of rooms", `document.querySelector(".empty").innerText`, "No rooms yet. Create the first one.")
	here.Post(here.SignIn("Cleo"), "kitchen", uuid.NewString(), "hello")
	ada.runs(`const { now } = Date; Date.now = () => now() + 61_000; document.dispatchEvent(new Event("visibilitychange"))`)
	ada.wait("the room", `document.querySelector("#room-list a[href='/r/kitchen']")`)
	ada.expect("whether it is said that there is none", `String(document.querySelector(".empty").checkVisibility())`, "false")
}

// All rooms are lost at once when Redis loses its data.
func TestRoomsThatAreLostTogetherAreAskedForTogether(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here := apptest.Start(t, redis)
	cleo := here.SignIn("Cleo")
	const rooms = 12
	for n := range rooms {
		here.Post(cleo, fmt.Sprintf("room-%d", n), uuid.NewString(), "hello")
	}
	ada := newBrowserPerson(t, "Ada")
	ada.join(here, "lobby")
	ada.wait("the rooms", fmt.Sprintf(`document.querySelectorAll("#room-list a").length === %d`, rooms+1))
	ada.runs(`await new Promise((resolve) => setTimeout(resolve, 2_500))`) // until all are watched: one every 100 ms
	client := redis.Client()
	defer client.Close()
	keys, err := client.Keys(t.Context(), "*:room:room-*").Result()
	if err != nil || len(keys) < rooms {
		t.Fatalf("%d keys: %v", len(keys), err)
	}
	ada.runs(`performance.clearResourceTimings()`)
	if err := client.Del(t.Context(), keys...).Err(); err != nil {
		t.Fatal(err)
	}
	for n := range rooms {
		here.Post(cleo, fmt.Sprintf("room-%d", n), uuid.NewString(), "anybody?")
	}
	ada.runs(`await new Promise((resolve) => setTimeout(resolve, 2_500))`)
	asked := see[int](ada, `performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/rooms")).length`)
	t.Logf("the rooms were asked for %d times", asked)
	if asked < 1 || asked > rooms/2 {
		t.Errorf("the rooms were asked for %d times", asked)
	}
}
