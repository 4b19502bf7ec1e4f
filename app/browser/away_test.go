//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestPageOutlivesTheKillOfItsServer(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := burbleAt(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.forgive(serverGone...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	ada.write("before")
	ada.shows("before") // Bob, elsewhere, may be told first
	bob.shows("before")

	here.Kill()
	ada.waitTruth("connecting", "Connecting…")
	ada.write("are you there?")
	ada.does("before", "react")
	ada.does("before", "edit")
	ada.types(" the flood")
	ada.press("Enter")
	ada.waitTruth("connecting", "Connecting, 3 waiting to send")
	ada.wait("the change, as if it were made", `document.querySelector("[data-pending] .body").innerText === "before the flood" && document.querySelector(".chip").innerText === "👍 1"`)
	bob.write("Ada?")
	bob.shows("Ada?")
	if texts := bob.shown(); len(texts) != 2 {
		t.Errorf("Bob sees %q while the server is dead", texts)
	}

	here.Start()
	here.AwaitReady()
	ada.shows("Ada?", "are you there?")
	bob.shows("are you there?", "before the flood")
	bob.wait("the reaction", `document.querySelector(".chip").innerText === "👍 1"`)
	ada.upToDate()
	ada.wait("nothing to be pending", `!document.querySelector("#messages :is([data-pending], [data-state])")`)
	expectStream(t, there, "lobby", ada, bob)
	apptest.ExpectStoredOnce(t, redis, "lobby", 5)
}

func TestHiddenPageSleepsAndGoesOnWhenLookedAt(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	ada.write("good night")
	bob.shows("good night")
	see[bool](ada, `localStorage.setItem("burble:sleep", 300) ?? true`)
	ada.open(here, "/r/lobby")
	ada.upToDate()
	bob.wait("both to be here", `document.querySelectorAll("#people li").length === 2`)

	back := ada.looksAway()
	ada.waitTruth("asleep", "Paused")
	bob.wait("Ada to have left", `document.querySelectorAll("#people li").length === 1`)
	bob.write("sleep well")
	bob.does("sleep well", "edit")
	bob.types(", Ada")
	bob.press("Enter")
	bob.write("a dream")
	bob.does("a dream", "delete")
	bob.click("#toolbar [name=delete]")
	bob.shows("sleep well, Ada", "This message was deleted.")
	if texts := ada.shown(); len(texts) != 1 {
		t.Errorf("asleep, Ada's page has %q", texts)
	}

	back()
	ada.shows("sleep well, Ada")
	ada.upToDate()
	bob.wait("Ada to be back", `document.querySelectorAll("#people li").length === 2`)
	expectStream(t, here, "lobby", ada, bob)
}

func TestPageSaysWhenStorageIsFullTrimmedOrLost(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "--maxmemory-policy", "noeviction")
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	client := redis.Client()
	defer client.Close()
	stream := func() string {
		t.Helper()
		keys, err := client.Keys(t.Context(), "*:room:lobby").Result()
		if err != nil || len(keys) != 1 {
			t.Fatalf("keys %q: %v", keys, err)
		}
		return keys[0]
	}

	ada.write("one")
	bob.shows("one")
	apptest.SetMaxMemory(t, redis, "1")
	ada.write("two")
	ada.waitTruth("full", "Chat storage is full, 1 waiting to send")
	apptest.SetMaxMemory(t, redis, "0")
	bob.shows("two")
	ada.upToDate()
	expectStream(t, there, "lobby", ada, bob)

	// What came while she was away is trimmed before she is back.
	ada.forgive("ERR_INTERNET_DISCONNECTED")
	ada.offline(true)
	ada.waitTruth("offline", "Offline")
	bob.write("three")
	bob.write("four")
	bob.write("five")
	bob.shows("three", "four", "five")
	if err := client.XTrimMaxLen(t.Context(), stream(), 1).Err(); err != nil {
		t.Fatal(err)
	}
	ada.offline(false)
	ada.shows("five")
	ada.wait("the gap", `[...document.querySelectorAll("#messages > *")].map((row) => row.matches(".gap") ? row.innerText.replace(/before .* are/, "before … are") : row.querySelector(".body")?.innerText.trim() ?? "day").join("; ") ===
		"day; one; two; Messages before … are no longer available.; five"`)
	ada.keeps("five") // offline nothing would tell of the gap
	ada.open(here, "/r/lobby")
	ada.upToDate()
	expectStream(t, there, "lobby", ada)

	// Redis lost the room.
	if err := client.Del(t.Context(), stream()).Err(); err != nil {
		t.Fatal(err)
	}
	bob.write("is anything left?")
	for _, p := range []*browserPerson{ada, bob} {
		p.shows("is anything left?")
		p.wait("the gap", `document.querySelector("#messages > .gap")?.innerText === "This room’s history was reset on the server."`)
		p.upToDate()
	}
	expectStream(t, there, "lobby", ada, bob)
}

func TestHomeSaysWhetherItIsUpToDate(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := burbleAt(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.forgive(append(serverGone, "503", "ERR_INTERNET_DISCONNECTED")...)
	ada.open(here, "/")
	ada.wait("the script", `!document.querySelector("#find input").pattern`)
	ada.expect("what is said where there is no room", `document.querySelector("#truth").innerText`, "")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	bob.write("hello")
	ada.keeps("hello")
	grey := `getComputedStyle(document.querySelector("[href='/r/lobby'] .here"), "::before").filter === "grayscale(1)"`

	ada.open(here, "/")
	ada.waitTruth("live", "Up to date")
	ada.wait("Bob to be seen there", `document.querySelector("[href='/r/lobby'] .here").innerText.includes("Bob") && !(`+grey+`)`)
	redis.Pause()
	ada.waitTruth("away", "Chat storage is unavailable")
	redis.Resume()
	ada.waitTruth("live", "Up to date")
	here.Kill()
	ada.waitTruth("connecting", "Connecting…")
	ada.wait("nobody to be shown as here", grey)
	here.Start()
	here.AwaitReady()
	ada.waitTruth("live", "Up to date")

	// The page of the service worker is not taken for a fresh one.
	ada.wait("the worker to have the page", `caches.keys().then((names) => caches.open(names.find((name) => name.startsWith("pages-")))).then((pages) => pages.match("/"))`)
	ada.offline(true)
	ada.open(here, "/")
	ada.waitTruth("offline", "Offline")
	ada.wait("nobody to be shown as here", grey)
	ada.offline(false)
	ada.waitTruth("live", "Up to date")
}
