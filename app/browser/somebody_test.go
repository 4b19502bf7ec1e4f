//go:build unix

package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"

	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// One browser, and somebody else in it.

// token is who the server takes the browser's person for, "" for nobody.
func (p *browserPerson) token() string {
	p.t.Helper()
	for _, cookie := range command(p, cdpnetwork.GetCookies, cdpnetwork.GetCookiesParams{}).Cookies {
		if cookie.Name == "burble" {
			return cookie.Value
		}
	}
	return ""
}

// becomes has the server take the browser's person for another, "" for nobody.
func (p *browserPerson) becomes(server *apptest.Server, token string) {
	p.t.Helper()
	if token == "" {
		command(p, cdpnetwork.DeleteCookies, cdpnetwork.DeleteCookiesParams{URL: server.URL(), Name: "burble"})
		return
	}
	httpOnly := true
	command(p, cdpnetwork.SetCookie, cdpnetwork.SetCookieParams{URL: server.URL(), Name: "burble", Value: token, HTTPOnly: &httpOnly})
}

// rename gives the token's guest another name and returns its new token.
func rename(t *testing.T, server *apptest.Server, token, name string) string {
	t.Helper()
	status, response := server.Do(http.MethodPost, "/session", fmt.Sprintf(`{"name":%q}`, name),
		"Content-Type", "application/json", "Authorization", "Bearer "+token)
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(response), &session); err != nil || status != http.StatusOK {
		t.Fatalf("POST /session: %d %s", status, response)
	}
	return session.Token
}

// A cookie is lost, or a computer shared.
func TestWhatSomebodyLeftWaitsForThemWhileAnotherIsHere(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here := burbleAt(t, redis)
	ada := newBrowserPerson(t, "Ada")
	ada.forgive(serverGone...)
	ada.join(here, "lobby")
	ada.write("hello")
	ada.keeps("hello")
	ada.open(here, "/r/tea")
	ada.write("tea?")
	ada.shows("tea?")
	ada.upToDate()
	adas := ada.token()
	here.Kill()
	ada.write("of Ada's in tea")
	ada.waitTruth("connecting", "Connecting, 1 waiting to send")
	ada.open(here, "/r/lobby")
	ada.write("of Ada's")
	ada.waitTruth("connecting", "Connecting, 2 waiting to send")
	ada.types("half a thought")
	ada.do(chromedp.Navigate("about:blank"))
	here.Start()
	here.AwaitReady()

	ada.becomes(here, "")
	ada.name = "Eve"
	ada.join(here, "lobby")
	if got := ada.writing(); got != "" {
		t.Errorf("Eve is writing %q", got)
	}
	ada.write("of Eve's")
	ada.shows("of Eve's")
	ada.upToDate()
	expectStream(t, here, "lobby", ada)
	apptest.ExpectStoredOnce(t, redis, "lobby", 2)
	apptest.ExpectStoredOnce(t, redis, "tea", 1)
	ada.types("Eve thinks")

	// Under whatever name they are back.
	ada.do(chromedp.Navigate("about:blank"))
	ada.becomes(here, rename(t, here, adas, "Ada Lovelace"))
	ada.open(here, "/r/lobby")
	ada.shows("of Ada's")
	ada.upToDate()
	ada.expect("who wrote them", `[...document.querySelectorAll("#messages .author")].map(({ textContent }) => textContent).join()`, "Ada,Eve,Ada Lovelace")
	if got := ada.writing(); got != "half a thought" {
		t.Errorf("Ada is writing %q", got)
	}
	apptest.ExpectStoredOnce(t, redis, "lobby", 3)
	apptest.ExpectStoredOnce(t, redis, "tea", 2)
}

func TestAPageIsLoadedAnewWhenItsReaderIsAnother(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	ada, bob := newBrowserPerson(t, "Ada"), newBrowserPerson(t, "Bob")
	ada.forgive("ERR_INTERNET_DISCONNECTED")
	ada.join(server, "lobby")
	bob.join(server, "lobby")
	name := func(name string) {
		t.Helper()
		ada.wait("being "+name, fmt.Sprintf(`document.readyState === "complete" && document.body.dataset.name === %q`, name))
		ada.upToDate()
	}

	// By another name, given in another tab: there is no connection anew to tell of it.
	other, end := ada.inAnotherTab()
	other.open(server, "/")
	other.click(`form[action="/session"] input[name=name]`)
	other.wipe()
	other.types("Lovelace")
	other.press("Enter")
	name("Lovelace")
	end()
	bob.write("@Lovelace, hello")
	ada.shows("@Lovelace, hello")
	ada.expect("what is tinted", `document.querySelector("#messages .mention")?.innerText`, "@Lovelace")

	// Somebody else, as the server says.
	adas := ada.token()
	ada.offline(true)
	ada.waitTruth("offline", "Offline")
	ada.write("of Ada's")
	ada.becomes(server, server.SignIn("Eve"))
	ada.offline(false)
	name("Eve")
	apptest.ExpectStoredOnce(t, redis, "lobby", 1)
	ada.becomes(server, adas)
	ada.offline(true)
	ada.waitTruth("offline", "Offline")
	ada.offline(false)
	name("Lovelace")
	ada.shows("of Ada's")
}
