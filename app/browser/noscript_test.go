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
	"github.com/chromedp/chromedp"
)

func TestPageWithoutScriptReadsTurnsBackAndPosts(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := apptest.Start(t, redis), apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	bob.join(there, "tales")
	for _, text := range story(3) {
		bob.write(text)
		bob.shows(text)
	}
	ada.do()
	command(ada, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})

	ada.open(here, "/r/tales")
	ada.shows("tale 1", "tale 2", "tale 3")
	ada.wait("the line to say so", `document.querySelector("#truth").innerText === "Reload to see what’s new"`)
	const piled = "Ada\u0332\u0332\u0332\u0332"
	ada.forgive("400")
	ada.do(chromedp.SendKeys(chromedp.CSS(`.join input[name=name]`), piled))
	ada.press("Enter")
	ada.wait("why not", `document.querySelector(".below [role=alert]")?.innerText === "A name must not pile marks onto a letter."`)
	ada.shows("tale 3")
	ada.wait("what was typed", fmt.Sprintf(`document.activeElement.value === %q`, piled))
	ada.wipe()
	ada.types("Ada")
	ada.press("Enter")
	ada.wait("the composer", painted+` && document.querySelector("#composer textarea")`)
	ada.do(chromedp.SendKeys(chromedp.CSS(`#composer textarea`), "a tale <b>of</b> mine"))
	ada.click("#composer > button")
	ada.shows("a tale <b>of</b> mine")
	bob.shows("a tale <b>of</b> mine")
	ada.expect("what can be pressed", `[...document.querySelectorAll("button")].filter((one) => one.checkVisibility()).map((one) => one.title).join()`, "Use from a terminal,Send")
	expectStream(t, there, "tales", ada, bob)

	tell(t, redis, here, "saga", time.Second, story(110)...)
	ada.open(here, "/r/saga")
	ada.waitTales(61, 110)
	ada.click("#older a")
	ada.waitTales(11, 60)
	ada.click("#older a")
	ada.waitTales(1, 10)
	ada.click("#newer a")
	ada.waitTales(11, 60)
	ada.click(ada.message("tale 40") + " .when")
	ada.wait("the place", `document.querySelector("[aria-current=true] .body")?.innerText.trim() === "tale 40"`)
}

// painted is whether the page is: before, a click is lost.
const painted = `performance.getEntriesByType("paint").length > 0`

// waitTales waits until the page has those parts of a story, and is painted.
func (p *browserPerson) waitTales(first, last int) {
	p.t.Helper()
	p.wait(fmt.Sprintf("tales %d to %d", first, last), fmt.Sprintf(painted+` &&
		[...document.querySelectorAll(".message .body")].map((body) => body.innerText.trim()).join() === %q`,
		strings.Join(story(last)[first-1:], ",")))
}
