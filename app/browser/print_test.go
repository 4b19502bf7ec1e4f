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

// A printed room contains all loaded messages, on as many sheets as they need. It is black on white in
// every theme.
func TestPrintHasAllMessagesAndNothingElse(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	fillHistory(t, redis, server, "history", time.Second, numbered(50)...)
	ada := newUser(t, "Ada")
	ada.join(server, "history")
	ada.send("the end")
	ada.waitMessages("message 1", "the end")
	ada.runScript(`document.documentElement.dataset.theme = "dark"`)

	pdf := call(ada, page.PrintToPDF, page.PrintToPDFParams{}).Data
	if sheets := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)); sheets < 3 {
		t.Errorf("51 messages are printed on %d pages, want at least 3", sheets)
	}

	call(ada, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	ada.expect("the list of printed controls", `[...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() && one.matches("button, input, textarea, nav, aside, #status, .jump"))
		.map((one) => one.outerHTML.slice(0, 80)).join("\n")`, "")
	ada.expect("the last author", `document.querySelector("#messages article:last-child .author").innerText`, "Ada")
	ada.expect("the color", `[...new Set([...document.querySelectorAll(".body")].map((body) => getComputedStyle(body).color + " on " + getComputedStyle(body).backgroundColor))].join()`,
		"rgb(0, 0, 0) on rgb(255, 255, 255)")
}
