//go:build unix

package main_test

import (
	"testing"

	"burble/streams/redistest"

	"github.com/chromedp/cdproto/input"
)

// Safari ends a composition, and then tells of the Enter that ended it.
func TestAWordOfAnInputMethodIsTakenNotSent(t *testing.T) {
	t.Parallel()
	server := burble(t, redistest.Start(t))
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "lobby")
	ada.types("にほん")
	command(ada, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "rawKeyDown", Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 229})
	ada.types("ご")
	ada.press("Enter")
	ada.shows("にほんご")
}
