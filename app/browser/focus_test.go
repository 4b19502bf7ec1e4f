//go:build unix

package browser

import (
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Safari ends a composition before it reports the Enter key that ended it.
func TestEnterThatEndsACompositionDoesNotSend(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newUser(t, "Ada")
	ada.join(server, "lobby")
	ada.typeText("にほん")
	call(ada, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "rawKeyDown", Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 229})
	ada.typeText("ご")
	ada.press("Enter")
	ada.waitMessages("にほんご")
}

func TestTypingGoesToTheComposerWhateverHasFocus(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	fillHistory(t, redis, server, "history", time.Minute, numbered(40)...)
	ada := newUser(t, "Ada")
	ada.join(server, "history")
	expectTyped := func(after, text string) {
		t.Helper()
		ada.typeText(text)
		ada.expect("the composer after "+after, `document.querySelector("#composer textarea").value`, text)
		ada.expect("the open panel", `document.querySelector(":popover-open, dialog[open]")?.id ?? ""`, "")
		ada.clearField()
	}

	ada.click(ada.messageSelector("message 40") + " .body")
	expectTyped("a click on a message", "what/who?")
	ada.clickAction("message 40", "react")
	ada.wait("the reaction to be stored", `document.querySelector(".reaction") && !document.querySelector("[data-pending]")`)
	ada.click(".reaction")
	expectTyped("a click on a reaction", "why?")
	ada.click("#status")
	expectTyped("a click on nothing", "?/!")
	ada.open(server, "/r/history/"+ada.messageSelector("message 35")[2:])
	ada.waitAtMessage("message 35", "live")
	expectTyped("opening a message's address", "where")

	// After a key that scrolls, single-character shortcuts work, too.
	ada.expect("the focused element", `document.activeElement.name`, "text")
	// A key pressed while the messages still scroll is lost.
	waitAtRest := func(where string) {
		t.Helper()
		ada.wait("the messages to rest", `(globalThis.restful = (({ scrollTop }) => scrollTop `+where+` && scrollTop === globalThis.lastTop
			? globalThis.restful + 1 : (globalThis.lastTop = scrollTop, 0))(document.querySelector("#scroller"))) > 5`)
	}
	ada.press("PageUp")
	waitAtRest("< -200")
	ada.click("#composer textarea")
	ada.press("End")
	waitAtRest("=== 0")
	ada.press("PageUp")
	waitAtRest("< -200")

	// Keyboard layouts for other scripts have no key that types k, and their key for "/" types another character.
	ada.pressRussian("л", "KeyK", chromedp.ModifierCtrl)
	ada.expect("the focused field", `document.activeElement.name`, "room")
	ada.click("#scroller")
	ada.pressRussian(".", "Slash", 0)
	ada.wait("the search", `document.querySelector("#search")?.open`)
	ada.press("Escape")
	ada.wait("the search to close", `!document.querySelector("#search")?.open`)
	ada.runScript(`document.querySelector("#scroller").focus()`)
	ada.press("?")
	ada.wait("the keyboard shortcuts", `document.querySelector("#keys")?.matches(":popover-open")`)
	ada.press("Escape")
	expectTyped("a shortcut", "so")
}

// pressRussian presses a key of a Russian keyboard.
func (u *user) pressRussian(key, code string, modifiers chromedp.Modifier) {
	u.t.Helper()
	for _, kind := range []input.DispatchKeyEventType{"keyDown", "keyUp"} {
		call(u, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: key, Code: code, Modifiers: int64(modifiers)})
	}
}
