//go:build unix

package browser

import (
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/input"
)

// Safari ends a composition, and then tells of the Enter that ended it.
func TestAWordOfAnInputMethodIsTakenNotSent(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	ada.types("にほん")
	command(ada, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "rawKeyDown", Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 229})
	ada.types("ご")
	ada.press("Enter")
	ada.shows("にほんご")
}

func TestWhatIsTypedIsWrittenWhereverTheFocusIs(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	tell(t, redis, server, "tales", time.Minute, story(40)...)
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "tales")
	writes := func(after, text string) {
		t.Helper()
		ada.types(text)
		ada.expect("what is written after "+after, `document.querySelector("#composer textarea").value`, text)
		ada.expect("what is open", `document.querySelector(":popover-open, dialog[open]")?.id ?? ""`, "")
		ada.wipe()
	}

	ada.click(ada.message("tale 40") + " .body")
	writes("a click on a message", "what/who?")
	ada.does("tale 40", "react")
	ada.wait("the reaction, stored", `document.querySelector(".chip") && !document.querySelector("[data-pending]")`)
	ada.click(".chip")
	writes("a click on a reaction", "why?")
	ada.click("#truth")
	writes("a click on nothing", "?/!")
	ada.open(server, "/r/tales/"+ada.message("tale 35")[2:])
	ada.expectPlace("tale 35", "live")
	writes("an address of a place", "where")

	// What goes on from there are keys: among the messages the two that are letters too.
	ada.expect("what is focused", `document.activeElement.name`, "text")
	ada.press("PageUp")
	ada.wait("the messages to have moved", `document.querySelector("#scroller").scrollTop < -200`)
	ada.press("?")
	ada.wait("the keys", `document.querySelector("#keys").matches(":popover-open")`)
	ada.press("Escape")
	writes("keys", "so")
}
