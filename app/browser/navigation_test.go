//go:build unix

package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/chromedp"
)

func TestMessagesAreReachedByLinkTimeAndCalendar(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	times := fillHistory(t, redis, here, "history", time.Hour, numbered(280)...) // more than a week
	path := func(number int) string { return fmt.Sprintf("/r/history/%d-0", times[number-1].UnixMilli()) }
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "history")
	bob.join(there, "history")

	// Each day begins with a line, and messages more than five minutes apart have headings.
	ada.wait("headings", `document.querySelectorAll(".message").length === 50 && !document.querySelector("[data-continued]")`)
	ada.wait("lines of days", `[...document.querySelectorAll(".day")].map((day) => day.innerText).slice(-2).join() === "Yesterday,Today"`)

	// The time of a message is a link to it, which opens the messages around it.
	link := eval[string](bob, `document.querySelector("`+bob.messageSelector("message 270")+` .timestamp").href`)
	ada.open(here, strings.Replace(link, there.URL(), "", 1))
	ada.waitAtMessage("message 270", "live")

	// A link to a missing message shows a notice until the user navigates away.
	ada.allowErrors("404")
	ada.open(here, fmt.Sprintf("/r/history/%d-7", times[99].UnixMilli()))
	ada.wait("the status", `document.querySelector("#status")?.dataset.state === "older"`)
	ada.waitMessages("message 99", "message 101")
	ada.expect("the notice", `document.querySelector(".footer [role=alert]").innerText`, "That message no longer exists.")
	ada.press("Escape")
	ada.waitMessages("message 280")
	ada.wait("the notice to close", `!document.querySelector(".footer [role=alert]")`)

	ada.open(here, path(100))
	ada.waitAtMessage("message 100", "older")
	ada.waitMessages("message 80", "message 120")
	ada.open(here, "/r/history?at="+times[99].Add(-time.Minute).UTC().Format(time.RFC3339))
	ada.waitAtMessage("message 100", "older")
	ada.wait("the toolbar to stay closed", `document.querySelector("#toolbar").hidden`)

	// The line of a day stays at the top while its messages scroll by. It must not cover a message
	// that the user navigated to. One expression measures both, because older messages may load.
	ada.expect("the distance of the line from the top, and whether it covers the message,", `((line) => {
		const message = line.nextElementSibling.nextElementSibling;
		message.scrollIntoView();
		const { top, bottom } = line.getBoundingClientRect();
		return [top - document.querySelector("#scroller").getBoundingClientRect().top, bottom > message.getBoundingClientRect().top].join();
	})(document.querySelectorAll(".day")[1])`, "0,false")

	// Scrolling loads messages in both directions. Escape leads to the latest ones.
	ada.scrollIntoView("#newer")
	ada.waitMessages("message 150")
	ada.scrollIntoView("#older")
	ada.waitMessages("message 50")
	ada.expect("the jump button", `document.querySelector("#jump").innerText`, "Jump to latest")
	ada.press("Escape")
	ada.waitMessages("message 280")
	ada.waitUpToDate()
	ada.expect("the path", `location.pathname`, "/r/history")

	expectCalendar(t, there, ada, bob, times[29].Add(-time.Minute))
	readWholeHistory(ada, bob)
	expectMatchesServer(t, here, "history", ada, bob)

	// When older messages are in view, new ones are below them, so no link leads up.
	ada.open(here, "/")
	bob.send("one more")
	ada.waitUnread("history", 1, 0)
	ada.open(here, path(100))
	ada.waitAtMessage("message 100", "older")
	ada.wait("no link up", `document.querySelector("#unread").hidden`)
	ada.press("Escape")
	ada.expectNewLine("one more")
}

// expectCalendar opens the calendar, closes it, and navigates to a date with it.
func expectCalendar(t *testing.T, there *apptest.Server, ada, bob *user, date time.Time) {
	t.Helper()
	// Closing the calendar does not navigate.
	for _, closeCalendar := range []func(){
		func() { ada.click("#calendar [name=close]") },
		func() { ada.do(chromedp.MouseClickXY(10, 790)) },
	} {
		ada.click("#open-calendar")
		ada.wait("the calendar", `document.querySelector("#calendar")?.open`)
		closeCalendar()
		ada.wait("the calendar to close", `!document.querySelector("#calendar").open && location.search === ""`)
	}

	// Choosing a date in the calendar navigates to a URL that others can open, and adds it to the
	// browser's history.
	ada.click("#open-calendar")
	ada.waitVisible("#calendar input")
	ada.runScript(`document.querySelector("#calendar input").value = "` + date.UTC().Format("2006-01-02T15:04") + `"`)
	ada.click("#calendar button")
	ada.waitAtMessage("message 30", "older")
	bob.open(there, eval[string](ada, `location.pathname + location.search`))
	bob.waitAtMessage("message 30", "older")
	ada.do(chromedp.NavigateBack())
	ada.waitUpToDate()
}

// readWholeHistory makes Bob send a message while he is viewing older ones, which takes him to the latest.
// Then both users scroll up to the beginning of the room.
func readWholeHistory(ada, bob *user) {
	ada.t.Helper()
	bob.send("the end")
	bob.waitMessages("the end")
	bob.waitUpToDate()
	ada.waitMessages("the end")
	ada.wait("the message to be read", `document.title === "#history · Burble"`) // otherwise scrolling up would leave it unread
	for _, u := range []*user{ada, bob} {
		for !eval[bool](u, `document.querySelector("#older a").hidden`) {
			before := eval[int](u, `document.querySelectorAll(".message").length`)
			u.scrollIntoView("#older")
			u.wait("older messages", fmt.Sprintf(`document.querySelectorAll(".message").length > %d || document.querySelector("#older a").hidden`, before))
		}
	}
}

// If the user navigates again before the messages of the first navigation load, the last navigation
// wins.
func TestLastNavigationWins(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	times := fillHistory(t, redis, server, "history", time.Hour, numbered(280)...)
	ada := newUser(t, "Ada")
	ada.join(server, "history")
	path := func(number int) string { return fmt.Sprintf("/r/history/%d-0", times[number-1].UnixMilli()) }
	navigate := func(number int) {
		t.Helper()
		ada.runScript(fmt.Sprintf(`history.pushState(null, "", %q); dispatchEvent(new PopStateEvent("popstate"))`, path(number)))
	}
	ada.runScript(`const real = fetch; globalThis.fetch = async (...args) => {
		const response = await real(...args);
		if (globalThis.hold) await new Promise((resolve) => { hold = false; globalThis.release = resolve; });
		return response;
	}`)
	holdResponse := func(navigate func()) {
		t.Helper()
		ada.runScript(`globalThis.hold = true; globalThis.release = null`)
		navigate()
		ada.wait("the response to be held", `globalThis.release`)
	}
	releaseAndExpect := func(number int) {
		t.Helper()
		ada.runScript(`release(); for (let frames = 0; frames < 5; frames++) await new Promise(requestAnimationFrame)`)
		ada.waitAtMessage(fmt.Sprintf("message %d", number), "older")
		ada.expect("the path", `location.pathname`, path(number))
		ada.expect("the announcement", `document.querySelector("#toast").innerText`, "")
	}

	holdResponse(func() { navigate(30) })
	navigate(100)
	ada.waitAtMessage("message 100", "older")
	releaseAndExpect(100)
	holdResponse(func() { ada.press("Escape") })
	navigate(200)
	ada.waitAtMessage("message 200", "older")
	releaseAndExpect(200)
}

func TestArrowUpAmongOlderMessagesEditsTheLastOne(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	times := fillHistory(t, redis, server, "history", time.Hour, numbered(120)...)
	ada := newUser(t, "Ada")
	ada.join(server, "history")
	ada.send("my last")
	ada.waitMessages("my last")
	ada.open(server, fmt.Sprintf("/r/history/%d-0", times[29].UnixMilli()))
	ada.waitAtMessage("message 30", "older")
	ada.click("#composer textarea")
	ada.press("ArrowUp")
	ada.wait("the message in the composer", `document.querySelector("#composer textarea").value === "my last"`)
	ada.typeText(", edited")
	ada.press("Enter")
	ada.waitMessages("my last, edited")
	ada.waitUpToDate()
}
