//go:build unix

package browser

import (
	"fmt"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// token returns the token in the browser's cookie, or "" if there is none.
func (u *user) token() string {
	u.t.Helper()
	for _, cookie := range call(u, cdpnetwork.GetCookies, cdpnetwork.GetCookiesParams{}).Cookies {
		if cookie.Name == "burble" {
			return cookie.Value
		}
	}
	return ""
}

// setToken replaces the token in the browser's cookie; "" deletes the cookie.
func (u *user) setToken(server *apptest.Server, token string) {
	u.t.Helper()
	if token == "" {
		call(u, cdpnetwork.DeleteCookies, cdpnetwork.DeleteCookiesParams{URL: server.URL(), Name: "burble"})
		return
	}
	httpOnly := true
	call(u, cdpnetwork.SetCookie, cdpnetwork.SetCookieParams{URL: server.URL(), Name: "burble", Value: token, HTTPOnly: &httpOnly})
}

// rename gives the token's guest another name and returns the new token.
func rename(t *testing.T, server *apptest.Server, token, name string) string {
	t.Helper()
	session := server.Client(token)
	if _, err := session.SignIn(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return session.Token
}

// A cookie may get lost, and users may share a device.
func TestDraftsAndWaitingMessagesBelongToTheirUser(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := startOnFixedPort(t, redis)
	ada := newUserWithWorker(t, "Ada")
	ada.allowErrors(serverDownErrors...)
	ada.join(server, "lobby")
	ada.send("hello")
	ada.waitCached("hello")
	ada.open(server, "/r/tea")
	ada.send("tea?")
	ada.waitMessages("tea?")
	ada.waitUpToDate()
	token := ada.token()
	server.Kill()
	ada.send("from Ada, in tea")
	ada.waitStatus("connecting", "Connecting, 1 unsent")
	ada.open(server, "/r/lobby")
	ada.send("from Ada")
	ada.waitStatus("connecting", "Connecting, 2 unsent")
	ada.typeText("half a thought")
	ada.do(chromedp.Navigate("about:blank"))
	server.Start()
	server.AwaitReady()

	// Eve signs in on the same device. She neither sees nor sends Ada's texts.
	ada.setToken(server, "")
	eve := ada
	eve.name = "Eve"
	eve.join(server, "lobby")
	eve.expectComposer("")
	eve.send("from Eve")
	eve.waitMessages("from Eve")
	eve.waitUpToDate()
	expectMatchesServer(t, server, "lobby", eve)
	apptest.ExpectStoredOnce(t, redis, "lobby", 2)
	apptest.ExpectStoredOnce(t, redis, "tea", 1)
	eve.typeText("Eve thinks")

	// Ada returns under another name.
	ada.do(chromedp.Navigate("about:blank"))
	ada.setToken(server, rename(t, server, token, "Ada Lovelace"))
	ada.name = "Ada"
	ada.open(server, "/r/lobby")
	ada.waitMessages("from Ada")
	ada.waitUpToDate()
	ada.expect("the list of authors", `[...document.querySelectorAll("#messages .author")].map(({ textContent }) => textContent).join()`, "Ada,Eve,Ada Lovelace")
	ada.expectComposer("half a thought")
	apptest.ExpectStoredOnce(t, redis, "lobby", 3)
	apptest.ExpectStoredOnce(t, redis, "tea", 2)
}

func TestPageReloadsWhenItsUserChanges(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	ada, bob := newUserWithWorker(t, "Ada"), newUserWithWorker(t, "Bob")
	ada.allowErrors("ERR_INTERNET_DISCONNECTED")
	ada.join(server, "lobby")
	bob.join(server, "lobby")
	waitName := func(name string) {
		t.Helper()
		ada.wait("the page of "+name, fmt.Sprintf(`document.readyState === "complete" && document.body.dataset.name === %q`, name))
		ada.waitUpToDate()
	}

	// Another tab changes the name. The connection stays open, so the server does not report the change.
	other, closeTab := ada.openTab()
	other.open(server, "/")
	other.click(`form[action="/session"] input[name=name]`)
	other.clearField()
	other.typeText("Lovelace")
	other.press("Enter")
	waitName("Lovelace")
	bob.waitPeople("Bob (you), Lovelace")
	closeTab()
	bob.send("@Lovelace, hello")
	ada.waitMessages("@Lovelace, hello")
	ada.wait("the marked mention", `document.querySelector("#messages .mention")?.innerText === "@Lovelace"`)

	// After the page reconnects, the server's hello contains another user.
	token := ada.token()
	ada.setOffline(true)
	ada.waitStatus("offline", "Offline")
	ada.send("from Ada")
	ada.setToken(server, server.SignIn("Eve"))
	ada.setOffline(false)
	waitName("Eve")
	apptest.ExpectStoredOnce(t, redis, "lobby", 1)
	ada.setToken(server, token)
	ada.setOffline(true)
	ada.waitStatus("offline", "Offline")
	ada.setOffline(false)
	waitName("Lovelace")
	ada.waitMessages("from Ada")
}
