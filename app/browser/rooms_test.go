//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
)

func TestShortcutsSwitchAndCreateRooms(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	cleo := there.SignIn("Cleo")
	for _, room := range []string{"attic", "kitchen", "lobby"} {
		there.Post(cleo, room, client.NewKey(), "hello "+room)
	}
	ada.join(here, "lobby")

	ada.expectShortcutsPanel()

	// Control+k finds a room by part of its name, or creates a new one.
	ada.press("Control+k")
	ada.typeText("kit")
	ada.press("Enter")
	ada.waitAtPath("/r/kitchen")

	// An exact name comes before newer rooms that contain it.
	there.Post(cleo, "kit", client.NewKey(), "hello kit")
	there.Post(cleo, "kitchen", client.NewKey(), "newer")
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	ada.press("Control+k")
	ada.typeText("kit")
	ada.expect("the list of found rooms", `[...document.querySelectorAll("#room-list li:not([hidden]) b")].map((name) => name.innerText).join()`, "kit,kitchen")
	ada.press("Enter")
	ada.waitAtPath("/r/kit")
	const firstRow = `(document.querySelector("#room-list li:not([hidden])")?.innerText ?? "").replace(/\s+/g, " ").trim()`
	ada.press("Control+k")
	ada.typeText("Garden Shed")
	ada.wait("the new room", firstRow+` === "# garden-shed create this room"`)
	ada.press("Enter")
	ada.waitAtPath("/r/garden-shed")
	ada.press("Control+k")
	ada.allowErrors("400")
	ada.typeText("🎉")
	ada.wait("the reason", firstRow+`.startsWith("A room name must have")`)
	ada.press("Enter")
	ada.press("Escape")
	ada.wait("the rooms", `document.querySelectorAll("#room-list li:not([hidden]) a").length === 5`)
	ada.click("#composer textarea")
	ada.send("first in the shed")
	ada.waitMessages("first in the shed")

	// Other users find the new room in their lists. Alt+ArrowDown goes from room to room.
	bob.join(there, "attic")
	bob.expect("the names in the list of rooms", `[...document.querySelectorAll("#room-list b")].map((name) => name.innerText).sort().join()`, "attic,garden-shed,kit,kitchen,lobby")
	for path := "/r/attic"; path != "/r/garden-shed"; path = eval[string](bob, "location.pathname") {
		bob.waitUpToDate()
		bob.press("Alt+ArrowDown")
		bob.wait("another room", fmt.Sprintf("location.pathname !== %q", path))
	}
	bob.waitUpToDate()
	bob.press("Alt+ArrowDown")
	bob.wait("another room", `location.pathname !== "/r/garden-shed"`)
	bob.waitUpToDate()
	bob.press("Alt+ArrowUp")
	bob.waitAtPath("/r/garden-shed")
	bob.waitMessages("first in the shed")
	bob.send("me too")
	ada.waitMessages("me too")
	expectMatchesServer(t, here, "garden-shed", ada, bob)
}

// expectShortcutsPanel checks that a question mark is text in the composer, and elsewhere opens the list of
// keyboard shortcuts.
func (u *user) expectShortcutsPanel() {
	u.t.Helper()
	u.press("?")
	u.expectComposer("?")
	u.clearField()
	u.click("#scroller")
	u.press("?")
	u.wait("the keyboard shortcuts", `document.querySelector("#keys")?.matches(":popover-open")`)
	u.press("Escape")
	u.wait("the shortcuts to close", `!document.querySelector(":popover-open")`)
}

func TestThemeIsKept(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	const shown = `[document.documentElement.dataset.theme, document.querySelector("#theme").title,
		...[...document.querySelectorAll("meta[name=theme-color]")].map(({ content, media }) => content + media)].join()`
	for _, theme := range []string{"light", "dark", "system"} {
		ada.click("#theme")
		ada.wait("the theme "+theme, fmt.Sprintf(`document.querySelector("#theme").title === "Theme: %s"`, theme))
		// Scripts set cookies asynchronously.
		ada.wait("the cookie", fmt.Sprintf(`cookieStore.get("theme").then((cookie) => (cookie?.value ?? "system") === %q)`, theme))
		before := eval[string](ada, shown)
		ada.open(server, "/r/lobby")
		ada.expect("the theme", shown, before)
		if theme == "dark" {
			ada.expect("the color scheme", `getComputedStyle(document.body).colorScheme`, "dark")
		}
	}
}

// On a Mac, Option+arrow keys move the caret between paragraphs.
func TestOptionArrowsOnAMacStayInTheComposer(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	cleo := server.SignIn("Cleo")
	for _, room := range []string{"attic", "lobby"} {
		server.Post(cleo, room, client.NewKey(), "hello "+room)
	}
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	call(ada, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "A Mac's", Platform: "MacIntel"})
	ada.open(server, "/r/lobby")
	ada.waitUpToDate()
	ada.runScript(`document.addEventListener("keydown", (event) => (globalThis.prevented ??= []).push(event.defaultPrevented))`)
	ada.click("#composer textarea")
	ada.typeText("a")
	ada.press("Alt+ArrowUp", "Alt+ArrowDown")
	ada.expect("whether the page handled each key", `prevented.join()`, "false,false,false")
	ada.clearField()
	ada.press("Alt+ArrowUp")
	ada.waitAtPath("/r/attic")
}

// openHome starts a server that has the room kitchen, and opens its home page.
func openHome(t *testing.T) (server *apptest.Server, ada *user) {
	t.Helper()
	server = apptest.Start(t, redistest.Start(t))
	server.Post(server.SignIn("Cleo"), "kitchen", client.NewKey(), "hello")
	ada = newUser(t, "Ada")
	ada.open(server, "/")
	ada.waitUpToDate()
	return server, ada
}

func TestHomeOpensTheFirstMatchingRoom(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server, ada := openHome(t)
	const firstRow = `(document.querySelector("#room-list li:not([hidden])")?.innerText ?? "").replace(/\s+/g, " ").trim()`
	ada.click("#find input")
	ada.allowErrors("400")
	ada.typeText("🎉")
	ada.wait("the reason", firstRow+`.startsWith("A room name must have")`)
	ada.press("Enter")
	ada.clearField()
	ada.typeText("KÍT")
	ada.wait("the kitchen", firstRow+`.startsWith("# kitchen")`)
	ada.clearField()
	ada.typeText("Café Müller")
	ada.wait("the new room", firstRow+` === "# cafe-muller create this room"`)
	ada.press("Enter")
	ada.waitAtPath("/r/cafe-muller")
	ada.open(server, "/")
	ada.waitUpToDate()
	ada.expect("the list of rooms", `[...document.querySelectorAll("#room-list b")].map((name) => name.innerText).join()`, "kitchen,cafe-muller")
	ada.click("#find input")
	ada.typeText("Überraschung")
	ada.press("Enter") // before the script knows the name
	ada.waitAtPath("/r/uberraschung")
}

// If the server cannot find the name of a room, for example because there were too many requests, the page must not
// request it again and again.
func TestHomeRequestsTheNameOfARoomOnce(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	_, ada := openHome(t)
	ada.runScript(`
		const { fetch: realFetch, setTimeout: realTimeout } = window;
		Object.assign(window, { requests: 0, delayed: 0 });
		window.fetch = (url, ...options) => String(url).startsWith("/open?") ? (requests++, Promise.resolve(Response.json({}, { status: 503 }))) : realFetch(url, ...options);
		window.setTimeout = (action, delay) => realTimeout(action, delay, delayed += delay === 200)`)
	ada.click("#find input")
	ada.typeText("Ü")
	ada.wait("the request", `requests`)
	ada.runScript(`for (const _ of "12") await new Promise(requestAnimationFrame)`)
	ada.expect("the delayed requests", `delayed + ""`, "1")
}

func TestHomeShowsTheFirstRoom(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.open(server, "/")
	ada.expect("the notice", `document.querySelector(".empty").innerText`, "No rooms yet. Create the first one.")
	server.Post(server.SignIn("Cleo"), "kitchen", client.NewKey(), "hello")
	ada.runScript(`const { now } = Date; Date.now = () => now() + 61_000; document.dispatchEvent(new Event("visibilitychange"))`)
	ada.wait("the room", `document.querySelector("#room-list a[href='/r/kitchen']")`)
	ada.expect("whether the notice is visible", `String(document.querySelector(".empty").checkVisibility())`, "false")
}

// recordSocket is a script that records when the page receives followed for each room, and when it
// receives the state reset.
const recordSocket = `
	globalThis.followed = {};
	globalThis.reset = {};
	globalThis.WebSocket = class extends WebSocket {
		constructor(...args) {
			super(...args);
			this.addEventListener("message", ({ data }) => {
				if (typeof data !== "string") return;
				const { type, room, state } = JSON.parse(data);
				if (type === "followed") (state === "reset" ? reset : followed)[room] = performance.now();
			});
		}
	}`

// If Redis loses its data, it loses all rooms at once.
func TestLostRoomsAreFetchedTogether(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	cleo := server.SignIn("Cleo")
	const rooms = 12
	for n := range rooms {
		server.Post(cleo, fmt.Sprintf("room-%d", n), client.NewKey(), "hello")
	}
	ada := newUser(t, "Ada")
	call(ada, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: recordSocket})
	ada.join(server, "lobby")
	ada.wait("the rooms", fmt.Sprintf(`document.querySelectorAll("#room-list a").length === %d`, rooms+1))
	ada.wait("the page to follow them", fmt.Sprintf(`Object.keys(followed).length === %d`, rooms+1))
	redisClient := redis.Client()
	defer redisClient.Close()
	keys, err := redisClient.Keys(t.Context(), "*:room:room-*").Result()
	if err != nil || len(keys) < rooms {
		t.Fatalf("got %d keys, %v; want %d", len(keys), err, rooms)
	}
	ada.runScript(`performance.clearResourceTimings()`)
	if err := redisClient.Del(t.Context(), keys...).Err(); err != nil {
		t.Fatal(err)
	}
	for n := range rooms {
		server.Post(cleo, fmt.Sprintf("room-%d", n), client.NewKey(), "anybody?")
	}
	ada.wait("all rooms to be reset", fmt.Sprintf(`Object.keys(reset).length === %d`, rooms))
	const fetches = `performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/rooms"))`
	ada.wait("the last fetch", fetches+`.some(({ startTime }) => startTime >= Math.max(...Object.values(reset)))`)
	count := eval[int](ada, fetches+".length")
	t.Logf("%d fetches of the rooms", count)
	if count > rooms/2 {
		t.Errorf("%d fetches of the rooms, want at most %d", count, rooms/2)
	}
}
