//go:build unix

package browser

import (
	"context"
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

func TestPeopleComeGoAndCrowd(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob, cleo := newBrowserPerson(t, "Ada Lovelace"), newBrowserPerson(t, "Bob"), newBrowserPerson(t, "Cleo")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	cleo.join(here, "lobby")
	ada.waitPeople("Ada Lovelace (you), Bob, Cleo")
	ada.expect("how many heights rows have", `String(new Set([...document.querySelectorAll("#people li")].map((row) => row.offsetHeight)).size)`, "1")

	// One closes the tab, the other's browser dies without a word.
	bob.open(there, "/")
	ada.waitPeople("Ada Lovelace (you), Cleo")
	ctx, cancel := context.WithCancel(cleo.ctx)
	go chromedp.Call(ctx, page.Crash, cdp.Empty{}) // It is never answered.
	ada.waitPeople("Ada Lovelace (you)")
	cancel()

	// A crowd is counted.
	guests := make([]*scribe, 120)
	for i := range guests {
		guests[i] = newScribe(t, there, there.SignIn(fmt.Sprintf("Guest %d", i)))
		guests[i].say(map[string]any{"type": "follow", "room": "lobby", "last": 0})
	}
	all := `document.querySelector("#people h2").innerText === "Here now · 121"`
	ada.wait("the count", all)
	ada.open(here, "/r/lobby")
	ada.wait("the count, opened anew", all)
	ada.wait("the rest", `((named) => named <= 100 && document.querySelector("#people p").innerText === "and " + (121 - named) + " more")(document.querySelectorAll("#people li").length)`)
	for _, guest := range guests[:3] {
		guest.say(map[string]any{"type": "typing", "room": "lobby"})
	}
	ada.wait("some of them to write", `document.querySelector("#typing").innerText === "Several people are typing…"`)
	ada.wait("them to be done", `document.querySelector("#typing").innerText === ""`)
}

// waitPeople waits until those are who is here.
func (p *browserPerson) waitPeople(names string) {
	p.t.Helper()
	p.wait(names, fmt.Sprintf(`[...document.querySelectorAll("#people li")].map((row) => row.querySelector("b").innerText + (row.innerText.includes("(you)") ? " (you)" : "")).join(", ") === %q`, names))
}

func TestMentionIsNotifiedWhenTheBellIsOnAndNobodyLooks(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	ada.write("I am off")
	bob.shows("I am off")
	if _, err := chromedp.CallBrowser(ada.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: "granted", Origin: here.URL(),
		BrowserContextID: chromedp.FromContext(ada.ctx).BrowserContextID,
	}); err != nil {
		t.Fatal(err)
	}
	bob.click("#bell")
	bob.wait("why it is not on", `document.querySelector("#said").innerText === "Your browser is blocking notifications."`)
	bob.runs(`delete globalThis.Notification`) // As in a browser on an iPhone.
	bob.click("#bell")
	bob.wait("what there is to do", `document.querySelector("#said").innerText === "Add Burble to your home screen to get notifications."`)
	ada.click("#bell")
	ada.wait("the bell to be on", `document.querySelector("#bell").ariaPressed === "true"`)
	ada.wait("the worker", `navigator.serviceWorker.getRegistration().then((registration) => registration?.active)`)

	// Chromium takes what it has not shown yet for closed, and forgets it, when it is asked
	// what is shown: it is asked only after it has said that it shows it.
	see[bool](ada, `(({prototype}) => {
		const show = prototype.showNotification;
		prototype.showNotification = function (...given) { return show.apply(this, given).then(() => { globalThis.notified = true }) };
	})(ServiceWorkerRegistration) ?? true`)

	bob.write("@ada look at this")
	ada.shows("@ada look at this") // She does.
	back := ada.looksAway()
	bob.write("@ada come back")
	bob.write("please")
	ada.wait("the notification", `globalThis.notified`)
	ada.expect("what it says", `navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((shown) => shown.map(({title, body}) => title + ": " + body).join("; "))`,
		"Bob in #lobby: @ada come back")
	back()
	expectStream(t, here, "lobby", ada, bob)
}
