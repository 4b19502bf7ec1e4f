//go:build unix

package browser

import (
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestPageSurvivesAServerCrash(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors(serverDownErrors...)
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	ada.send("before")
	ada.waitMessages("before") // Bob's server may be faster
	bob.waitMessages("before")

	here.Kill()
	ada.waitStatus("connecting", "Connecting…")
	ada.send("are you there?")
	ada.clickAction("before", "react")
	ada.clickAction("before", "edit")
	ada.typeText(" the flood")
	ada.press("Enter")
	ada.waitStatus("connecting", "Connecting, 3 unsent")
	ada.wait("the pending edit and reaction", `document.querySelector("[data-pending] .body").innerText === "before the flood" && document.querySelector(".reaction").innerText === "👍 1"`)
	bob.send("Ada?")
	bob.waitMessages("Ada?")
	if texts := bob.messages(); len(texts) != 2 {
		t.Errorf("while Ada's server is down, Bob's page shows %q, want 2 messages", texts)
	}

	here.Start()
	here.AwaitReady()
	ada.waitMessages("Ada?", "are you there?")
	bob.waitMessages("are you there?", "before the flood")
	bob.wait("the reaction", `document.querySelector(".reaction").innerText === "👍 1"`)
	ada.waitUpToDate()
	ada.wait("nothing to be pending", `!document.querySelector("#messages :is([data-pending], [data-state])")`)
	expectMatchesServer(t, there, "lobby", ada, bob)
	apptest.ExpectStoredOnce(t, redis, "lobby", 5)
}

func TestHiddenPagePausesAndResumes(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	ada.send("good night")
	bob.waitMessages("good night")
	ada.runScript(`localStorage.setItem("burble:sleep", 300)`) // milliseconds
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	bob.wait("two people", `document.querySelectorAll("#people li").length === 2`)

	show := ada.hide()
	ada.waitStatus("asleep", "Paused")
	bob.wait("Ada to leave", `document.querySelectorAll("#people li").length === 1`)
	bob.send("sleep well")
	bob.clickAction("sleep well", "edit")
	bob.typeText(", Ada")
	bob.press("Enter")
	bob.send("a dream")
	bob.clickAction("a dream", "delete")
	bob.click("#toolbar [name=delete]")
	bob.waitMessages("sleep well, Ada", "This message was deleted.")
	if texts := ada.messages(); len(texts) != 1 {
		t.Errorf("Ada's paused page shows %q, want 1 message", texts)
	}

	show()
	ada.waitMessages("sleep well, Ada")
	ada.waitUpToDate()
	bob.wait("Ada to return", `document.querySelectorAll("#people li").length === 2`)
	expectMatchesServer(t, here, "lobby", ada, bob)
}

func TestPageReportsFullTrimmedAndLostStorage(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t, "--maxmemory-policy", "noeviction")
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	client := redis.Client()
	defer client.Close()

	ada.send("one")
	bob.waitMessages("one")
	apptest.SetMaxMemory(t, redis, "1")
	ada.send("two")
	ada.waitStatus("full", "Chat storage is full, 1 unsent")
	apptest.SetMaxMemory(t, redis, "0")
	bob.waitMessages("two")
	ada.waitUpToDate()
	expectMatchesServer(t, there, "lobby", ada, bob)

	// Messages arrive while Ada is offline, and Redis trims them before she returns.
	ada.allowErrors("ERR_INTERNET_DISCONNECTED")
	ada.setOffline(true)
	ada.waitStatus("offline", "Offline")
	bob.send("three")
	bob.send("four")
	bob.send("five")
	bob.waitMessages("three", "four", "five")
	if err := client.XTrimMaxLen(t.Context(), apptest.RoomKey(t, client, "lobby"), 1).Err(); err != nil {
		t.Fatal(err)
	}
	ada.setOffline(false)
	ada.waitMessages("five")
	ada.wait("the gap", `[...document.querySelectorAll("#messages > *")].map((row) => row.matches(".gap") ? row.innerText.replace(/before .* are/, "before … are") : row.querySelector(".body")?.innerText.trim() ?? "day").join("; ") ===
		"day; one; two; Messages before … are no longer available.; five"`)
	ada.waitCached("five") // messages before the gap are not cached, because the cache does not record gaps
	ada.open(here, "/r/lobby")
	ada.waitUpToDate()
	expectMatchesServer(t, there, "lobby", ada)

	// Redis loses the room.
	if err := client.Del(t.Context(), apptest.RoomKey(t, client, "lobby")).Err(); err != nil {
		t.Fatal(err)
	}
	bob.send("is anything left?")
	for _, u := range []*user{ada, bob} {
		u.waitMessages("is anything left?")
		u.wait("the gap", `document.querySelector("#messages > .gap")?.innerText === "This room’s history was reset on the server."`)
		u.waitUpToDate()
	}
	expectMatchesServer(t, there, "lobby", ada, bob)
}

func TestHomeReportsItsStatus(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors(append(serverDownErrors, "503", "ERR_INTERNET_DISCONNECTED")...)
	ada.open(here, "/")
	ada.wait("the script", `!document.querySelector("#find input").pattern`)
	ada.expect("the status without rooms", `document.querySelector("#status").innerText`, "")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	bob.send("hello")
	ada.waitCached("hello")
	gray := `getComputedStyle(document.querySelector("[href='/r/lobby'] .present"), "::before").filter === "grayscale(1)"`

	ada.open(here, "/")
	ada.waitStatus("live", "Up to date")
	ada.wait("Bob in the lobby", `document.querySelector("[href='/r/lobby'] .present").innerText.includes("Bob") && !(`+gray+`)`)
	redis.Pause()
	ada.waitStatus("away", "Chat storage is down")
	redis.Resume()
	ada.waitStatus("live", "Up to date")
	here.Kill()
	ada.waitStatus("connecting", "Connecting…")
	ada.wait("the people to turn gray", gray)
	here.Start()
	here.AwaitReady()
	ada.waitStatus("live", "Up to date")

	// The status must not call the service worker's copy of the page up to date.
	ada.wait("the page to be cached", `caches.keys().then((names) => caches.open(names.find((name) => name.startsWith("pages-")))).then((pages) => pages.match("/"))`)
	ada.setOffline(true)
	ada.open(here, "/")
	ada.waitStatus("offline", "Offline")
	ada.wait("the people to turn gray", gray)
	ada.setOffline(false)
	ada.waitStatus("live", "Up to date")
}
