//go:build unix

package browser

import (
	"fmt"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// fakeClock installs a fake clock, which setClock sets, in every page that the user opens from now on.
func (u *user) fakeClock() {
	u.t.Helper()
	call(u, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `{
		const RealDate = Date;
		const now = () => RealDate.now() + Number(localStorage["test:shift"] ?? 0);
		globalThis.Date = class extends RealDate {
			constructor(...args) { super(...(args.length ? args : [now()])); }
			static now = now;
		};
	}`})
}

// setClock sets the clock of the device, relative to the real time.
func (u *user) setClock(shift time.Duration) {
	u.t.Helper()
	u.runScript(fmt.Sprintf(`localStorage["test:shift"] = %d`, shift.Milliseconds()))
}

func TestChangingTheClockLosesNoMessage(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := startOnFixedPort(t, redis), apptest.Start(t, redis)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.allowErrors(serverDownErrors...)
	ada.fakeClock()
	ada.join(here, "lobby")
	bob.join(there, "lobby")
	const day = 24 * time.Hour
	for i, test := range []struct {
		text   string
		clock  time.Duration
		reload bool
	}{
		{"before the clock was set forward", 2 * day, false},
		{"before the reload", 30 * day, true},
		{"before the clock was set back", -400 * day, false},
		{"before another reload", -1000 * day, true},
	} {
		here.Pause()
		ada.send(test.text)
		ada.wait("the first attempt", `Object.entries(localStorage).some(([key, value]) => key.startsWith("burble:outbox:") && JSON.parse(value).tried)`)
		here.Kill() // before it has read the message
		ada.setClock(test.clock)
		if test.reload {
			ada.do(chromedp.Navigate("about:blank"))
		}
		here.Start()
		here.AwaitReady()
		if test.reload {
			ada.open(here, "/r/lobby")
		}
		bob.waitMessages(test.text)
		ada.waitUpToDate()
		expectMatchesServer(t, there, "lobby", ada, bob)
		apptest.ExpectStoredOnce(t, redis, "lobby", i+1)
	}

	// Although the clock is behind, the calendar reaches the newest message.
	ada.click("#open-calendar")
	ada.wait("the calendar", `document.querySelector("#calendar")?.open`)
	ada.expect("whether the calendar reaches the newest message",
		`String(Date.parse(document.querySelector("#calendar input").max) > Date.parse([...document.querySelectorAll("#messages time")].at(-1).dateTime) - 60_000)`, "true")
}

// timesMatchTimeZone is a JavaScript expression that reports whether every time on the page is in the
// device's time zone, and whether exactly the first message of each day comes right after a day line.
const timesMatchTimeZone = `(() => {
	const format = (options, time) => new Intl.DateTimeFormat(undefined, options).format(Date.parse(time.dateTime));
	const timeOf = (article) => article.querySelector("time");
	const day = (article) => new Date(timeOf(article).dateTime).toDateString();
	const long = { dateStyle: "long", timeStyle: "short" };
	return [...document.querySelectorAll("#messages article")].every((article, i, all) =>
			timeOf(article).textContent === format({ timeStyle: "short" }, timeOf(article)) && timeOf(article).title === format(long, timeOf(article)) &&
			(!i || day(article) !== day(all[i - 1])) === article.previousElementSibling?.matches(".day")) &&
		[...document.querySelectorAll("#search time")].every((time) => time.textContent === format(long, time)) &&
		document.querySelector("#room-list time").title === format(long, document.querySelector("#room-list time"));
})()`

func TestTimesFollowTheTimeZoneAndTheDay(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	fillHistory(t, redis, server, "lobby", time.Hour, numbered(40)...)
	ada := newUser(t, "Ada")
	ada.allowErrors("ERR_INTERNET_DISCONNECTED")
	ada.fakeClock()
	setZone := func(zone string) {
		t.Helper()
		call(ada, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone})
	}
	setZone("Europe/London")
	ada.join(server, "lobby")
	ada.waitMessages("message 40")
	ada.click("#open-search")
	ada.wait("the search dialog", `document.activeElement.name === "q"`)
	ada.typeText("message 7")
	ada.press("Enter")
	ada.wait("a result", `document.querySelector("#search time")`)
	ada.press("Escape")
	ada.setOffline(true)
	ada.send("from the plane")
	ada.waitStatus("offline", "Offline, 1 unsent")
	ada.wait("times in London", timesMatchTimeZone)

	// These zones reach midnight at different hours, and one has a half-hour offset.
	for _, zone := range []string{"Asia/Kolkata", "America/Los_Angeles", "Pacific/Auckland"} {
		setZone(zone)
		if eval[bool](ada, timesMatchTimeZone) {
			t.Fatalf("the page showed the times of %s before it could have noticed the change", zone)
		}
		ada.hide()()
		ada.wait("times in "+zone, timesMatchTimeZone)
	}
	ada.setOffline(false)
	ada.send("after the landing")
	ada.waitMessages("from the plane", "after the landing")
	ada.wait("times of new messages in Auckland", timesMatchTimeZone)

	const newestDay = `[...document.querySelectorAll("#messages .day")].at(-1).textContent`
	ada.expect("the newest day", newestDay, "Today")
	ada.setClock(24 * time.Hour)
	ada.hide()()
	ada.wait("the next day", newestDay+` === "Yesterday"`)
}
