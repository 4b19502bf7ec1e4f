//go:build unix

package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/emulation"
)

func TestPageWithoutScript(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newUser(t, "Ada"), newUser(t, "Bob")
	bob.join(there, "short")
	for _, text := range numbered(3) {
		bob.send(text)
		bob.waitMessages(text)
	}
	call(ada, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})

	// The page shows messages, explains why it refuses a name, and posts messages.
	ada.open(here, "/r/short")
	ada.waitMessages("message 1", "message 2", "message 3")
	ada.wait("the status", `document.querySelector("#status").innerText === "Reload to see what’s new"`)
	const stacked = "Ada\u0332\u0332\u0332\u0332"
	ada.allowErrors("400")
	ada.typeInto(`.join input[name=name]`, stacked)
	ada.press("Enter")
	ada.wait("the reason", `document.querySelector(".footer [role=alert]")?.innerText === "A name must not stack more than three marks on one letter."`)
	ada.waitMessages("message 3")
	ada.wait("the name in the field", fmt.Sprintf(`document.activeElement.value === %q`, stacked))
	ada.clearField()
	ada.typeText("Ada")
	ada.press("Enter")
	ada.wait("the composer", isPainted+` && document.querySelector("#composer textarea")`)
	ada.typeInto(`#composer textarea`, "a message <b>of</b> mine")
	ada.click("#composer > button")
	ada.waitMessages("a message <b>of</b> mine")
	bob.waitMessages("a message <b>of</b> mine")
	ada.expect("the list of visible buttons", `[...document.querySelectorAll("button:not(.visually-hidden)")].filter((one) => one.checkVisibility()).map((one) => one.title).join()`, "Use from a terminal,Send")
	expectMatchesServer(t, there, "short", ada, bob)

	// Links lead to older and newer pages, and to a message.
	fillHistory(t, redis, here, "long", time.Second, numbered(110)...)
	ada.open(here, "/r/long")
	ada.waitNumbered(61, 110)
	ada.click("#older a")
	ada.waitNumbered(11, 60)
	ada.click("#older a")
	ada.waitNumbered(1, 10)
	ada.click("#newer a")
	ada.waitNumbered(11, 60)
	ada.click(ada.messageSelector("message 40") + " header a")
	ada.wait("the page to be at message 40", `document.querySelector("[aria-current=true] .body")?.innerText.trim() === "message 40"`)
}

// isPainted is a JavaScript expression that is true once the page has been painted. Earlier clicks
// have no effect.
const isPainted = `performance.getEntriesByType("paint").length > 0`

// waitNumbered waits until the page is painted and has exactly the messages numbered first to last.
func (u *user) waitNumbered(first, last int) {
	u.t.Helper()
	u.wait(fmt.Sprintf("messages %d to %d", first, last), fmt.Sprintf(isPainted+` &&
		[...document.querySelectorAll(".message .body")].map((body) => body.innerText.trim()).join() === %q`,
		strings.Join(numbered(last)[first-1:], ",")))
}
