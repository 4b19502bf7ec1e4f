//go:build unix

package browser

import (
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/input"
)

func TestSearchListsNewestFirstAndLinksToMessages(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	texts := numbered(150)
	texts[9], texts[139] = "👩‍👩‍👧 a Nee\u0301dle in hay", "another needle"
	fillHistory(t, redis, here, "history", time.Minute, texts...)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	ada.join(here, "history")
	bob.join(there, "history")
	bob.send("no needles of mine")
	ada.waitMessages("no needles of mine")

	ada.click("#scroller")
	ada.press("/")
	ada.wait("the search", `document.activeElement.name === "q"`)
	ada.typeText("needle")
	ada.press("Enter")
	ada.wait("the end of the search", `document.querySelector("#search [role=status]").innerText === "3 matches in the whole room."`)
	ada.expect("the list of results", `[...document.querySelectorAll("#search li")].map((row) => row.querySelector("b").innerText + ": " + row.querySelector("p").innerText).join("; ")`,
		"Bob: no needles of mine; Historian: another needle; Historian: 👩‍👩‍👧 a Nee\u0301dle in hay")
	ada.expect("the list of marked words", `[...document.querySelectorAll("#search mark")].map((mark) => mark.innerText).join()`, "needle,needle,Nee\u0301dle")
	ada.click("#search li:last-child a")
	ada.waitAtMessage("👩‍👩‍👧 a Nee\u0301dle in hay", "older")
	ada.press("Escape")
	ada.waitMessages("no needles of mine")
	ada.waitUpToDate()

	ada.click("#open-search")
	ada.wait("the search", `document.activeElement.name === "q"`)
	ada.clearField()
	ada.typeText("from:BÓB mine needle")
	ada.press("Enter")
	ada.wait("the end of the search", `document.querySelector("#search [role=status]").innerText === "1 match in the whole room."`)
	ada.press("Escape")
	ada.wait("the search to close", `!document.querySelector("#search")?.open`)
	ada.wait("the latest messages", `document.querySelectorAll(".message").length === 50`)

	ada.allowErrors("503")
	redis.Kill()
	ada.waitStatus("away", "Chat storage is down")
	ada.click("#open-search")
	ada.wait("the search", `document.activeElement.name === "q"`)
	ada.press("Enter")
	ada.wait("the reason", `document.querySelector("#search [role=status]").innerText === "Chat storage is down. Try again in a moment."`)
}

// Safari does not support the closedby attribute.
func TestDialogClosesOnlyOnAClickOutside(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	ada.runScript(`delete HTMLDialogElement.prototype.closedBy`)
	ada.click("#open-search")
	ada.wait("the search", `document.querySelector("#search")?.open`)
	ada.runScript(`document.querySelector("#search").removeAttribute("closedby")`)
	click := func(right, down float64) {
		t.Helper()
		corner := eval[[]float64](ada, `(({ x, y }) => [x, y])(document.querySelector("#search").getBoundingClientRect())`)
		for _, kind := range []input.DispatchMouseEventType{"mousePressed", "mouseReleased"} {
			call(ada, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: corner[0] + right, Y: corner[1] + down, Button: "left", ClickCount: 1})
		}
	}
	click(5, 60)
	ada.expect("whether the search is open", `String(document.querySelector("#search")?.open)`, "true")
	click(-5, 60)
	ada.wait("the search to close", `!document.querySelector("#search")?.open`)
}
