//go:build unix

package browser

import (
	"regexp"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
)

// What is printed is the talk: every message that is loaded, on as many sheets as that
// takes, black on white whatever the screen is.
func TestAllMessagesArePrintedAndNothingElse(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	tell(t, redis, server, "saga", time.Second, story(50)...)
	ada := newBrowserPerson(t, "Ada")
	ada.join(server, "saga")
	ada.write("the end")
	ada.shows("tale 1", "the end")
	ada.runs(`document.documentElement.dataset.theme = "dark"`)

	pdf := command(ada, page.PrintToPDF, page.PrintToPDFParams{}).Data
	if sheets := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)); sheets < 3 {
		t.Errorf("51 messages are printed on %d sheets", sheets)
	}

	command(ada, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	ada.expect("what is printed", `[...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() && one.matches("button, input, textarea, nav, aside, #truth, .jump"))
		.map((one) => one.outerHTML.slice(0, 80)).join("\n")`, "")
	ada.expect("who wrote the end", `document.querySelector("#messages article:last-child .author").innerText`, "Ada")
	ada.expect("the ink", `[...new Set([...document.querySelectorAll(".body")].map((body) => getComputedStyle(body).color + " on " + getComputedStyle(body).backgroundColor))].join()`,
		"rgb(0, 0, 0) on rgb(255, 255, 255)")
}
