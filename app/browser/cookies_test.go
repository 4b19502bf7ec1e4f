//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func TestPageReportsThatCookiesAreBlocked(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	bob := server.SignIn("Bob")
	server.Post(bob, "lobby", client.NewKey(), "is anyone here?")
	ada := newUserWithoutCookies(t, "Ada")
	if _, err := chromedp.CallBrowser(ada.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: "granted", Origin: server.URL(),
	}); err != nil {
		t.Fatal(err)
	}
	enterName := func(path, name string) {
		t.Helper()
		ada.open(server, path)
		ada.typeInto(`form[action="/session"] input[name=name]`, name)
		ada.press("Enter")
		ada.wait("the reason", `document.querySelector("[role=alert]")?.innerText.startsWith("Your browser is blocking cookies")`)
		ada.wait("the name in the field", fmt.Sprintf(`((field) => field.value === %q && field === document.activeElement && !field.ariaInvalid)(document.querySelector("[name=name]"))`, name))
	}
	enterName("/", "Ada Lovelace")
	ada.expect("the error of localStorage", `(() => { try { return String(localStorage) } catch ({ name }) { return name } })()`, "SecurityError")
	ada.expect("the list of rooms", `document.querySelector("#room-list").innerText.includes("lobby").toString()`, "true")

	// In a room, the scripts continue without storage.
	enterName("/r/lobby", "Ada & Charles")
	ada.waitUpToDate()
	ada.wait("the module for notifications", `performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/bell.js"))`)
	server.Post(bob, "lobby", client.NewKey(), "hello?")
	ada.waitMessages("is anyone here?", "hello?")
	ada.click("#theme")
	ada.wait("the next theme", `document.documentElement.dataset.theme`)
	ada.click("#open-search")
	ada.wait("the search dialog", `document.activeElement.name === "q"`)
	ada.typeText("hello")
	ada.press("Enter")
	ada.wait("the result", `document.querySelector("#search li")`)

	call(ada, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	enterName("/", "Ada")
	enterName("/r/lobby", "Ada")

	// With a cookie, the page has its own address and no notice.
	charles := newUser(t, "Charles")
	charles.enterName(server, "lobby")
	charles.expect("the address", `location.pathname + location.search`, "/r/lobby")
	charles.expect("the notice", `String(document.querySelector(".notice"))`, "null")
}
