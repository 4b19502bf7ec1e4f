//go:build unix

package browser

import (
	"context"
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

func TestPresenceOfFewAndManyPeople(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob, cleo := newUser(t, "Ada Lovelace"), newUser(t, "Bob"), newUser(t, "Cleo")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	cleo.join(here, "lobby")
	ada.waitPeople("Ada Lovelace (you), Bob, Cleo")
	ada.expect("the number of different row heights", `String(new Set([...document.querySelectorAll("#people li")].map((row) => row.offsetHeight)).size)`, "1")

	// Bob leaves the page, and Cleo's page crashes.
	bob.open(there, "/")
	ada.waitPeople("Ada Lovelace (you), Cleo")
	ctx, cancel := context.WithCancel(cleo.ctx)
	go chromedp.Call(ctx, page.Crash, cdp.Empty{}) // never returns
	ada.waitPeople("Ada Lovelace (you)")
	cancel()

	// If many people are present, the page lists at most 100 and counts the rest.
	guests := make([]*guest, 120)
	for i := range guests {
		guests[i] = newGuest(t, there, fmt.Sprintf("Guest %d", i))
		guests[i].follow("lobby")
	}
	count := `document.querySelector("#people h2").innerText === "Here now · 121"`
	ada.wait("the count", count)
	ada.open(here, "/r/lobby")
	ada.wait("the count after a reload", count)
	ada.wait("the rest", `((listed) => listed <= 100 && document.querySelector("#people p").innerText === "and " + (121 - listed) + " more")(document.querySelectorAll("#people li").length)`)
	for _, guest := range guests[:3] {
		guest.request(client.Typing{Room: "lobby"})
	}
	ada.wait("several people to type", `document.querySelector("#typing").innerText === "Several people are typing…"`)
	ada.wait("nobody to type", `document.querySelector("#typing").innerText === ""`)
}

// waitPeople waits until the page lists exactly the names.
func (u *user) waitPeople(names string) {
	u.t.Helper()
	u.wait("the people "+names, fmt.Sprintf(`[...document.querySelectorAll("#people li")].map((row) => row.querySelector("b").innerText + (row.innerText.includes("(you)") ? " (you)" : "")).join(", ") === %q`, names))
}

func TestMentionNotifiesWhenNotificationsAreOnAndThePageIsHidden(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	ada.send("I am off")
	bob.waitMessages("I am off")
	bob.click("#bell")
	bob.wait("why notifications stay off", `document.querySelector("#toast").innerText === "Your browser is blocking notifications."`)
	bob.runScript(`delete globalThis.Notification`) // as in a browser on an iPhone
	bob.click("#bell")
	bob.wait("how to turn them on", `document.querySelector("#toast").innerText === "Add Burble to your home screen to get notifications."`)
	ada.turnNotificationsOn(here)

	// Listing notifications makes Chromium lose one that it has not shown yet. So the test lists them
	// only after showNotification has resolved.
	ada.runScript(`
		const { prototype } = ServiceWorkerRegistration, show = prototype.showNotification;
		prototype.showNotification = function (...args) { return show.apply(this, args).then(() => { globalThis.notified = true }) }`)

	bob.send("@ada look at this")
	ada.waitMessages("@ada look at this") // the page is visible, so there is no notification
	show := ada.hide()
	bob.send("@ada come back")
	bob.send("please")
	ada.wait("the notification", `globalThis.notified`)
	ada.expect("the list of notifications", `navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((shown) => shown.map(({title, body}) => title + ": " + body).join("; "))`,
		"Bob in #lobby: @ada come back")
	show()
	expectMatchesServer(t, here, "lobby", ada, bob)
}
