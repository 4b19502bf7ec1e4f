//go:build unix

package signin_test

import (
	"net/http"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestGuestBecomesAnAccountAndKeepsMessages(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowser(t, server)
	guest := decode[signInResponse](ada, ada.json(http.MethodPost, "/session", "name", "Ada"))
	sent := decode[struct{ ID string }](ada, ada.expect("post", ada.json(http.MethodPost, "/r/lobby/messages", "text", "hello"), http.StatusCreated))
	signedIn := ada.createPasskey()
	if signedIn.User != guest.User {
		t.Fatalf("the account is %+v, want the guest %+v", signedIn.User, guest.User)
	}
	edit := `{"type":"edit","room":"lobby","key":"` + newKey() + `","of":"` + sent.ID + `","text":"hello, all"}`
	ada.expect("edit", ada.do(http.MethodPost, "/r/lobby/frames", edit, "Content-Type", "application/json"), http.StatusOK)
	if page := ada.get("/r/lobby"); !strings.Contains(page.body, "hello, all") || !strings.Contains(page.body, "data-mine") {
		t.Errorf("the message does not belong to the account: %s", page.body)
	}
	old := newBrowser(t, server)
	old.awaitRefusal(guest.Token)
	old.device, old.key = ada.device, ada.key // like a synchronized passkey
	if again := old.usePasskey(); again.User != guest.User {
		t.Errorf("signed in on another device as %+v, want %+v", again.User, guest.User)
	}
}

func TestReplayedPasskeyResponsesAreRefused(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada, mallory := newBrowser(t, server), newBrowser(t, server)

	created := ada.startCreate("name", "Ada")
	mallory.expect("a creation in another browser", mallory.json(http.MethodPost, "/passkeys", "answer", created), http.StatusForbidden)
	restore := ada.keepCookies()
	ada.expect("create", ada.json(http.MethodPost, "/passkeys", "answer", created), http.StatusOK)
	ada.device.AddCredential(ada.key)
	restore()
	ada.expect("the same creation again", ada.json(http.MethodPost, "/passkeys", "answer", created), http.StatusForbidden)

	ada.json(http.MethodPost, "/sign-out")
	used := ada.answerPasskeyChallenge()
	mallory.expect("a response in another browser", mallory.json(http.MethodPost, "/sign-in", "answer", used), http.StatusForbidden)
	mallory.answerPasskeyChallenge()
	mallory.expect("a response to another challenge", mallory.json(http.MethodPost, "/sign-in", "answer", used), http.StatusForbidden)
	restore = ada.keepCookies()
	ada.expect("sign in", ada.json(http.MethodPost, "/sign-in", "answer", used), http.StatusOK)
	restore()
	ada.expect("the same response again", ada.json(http.MethodPost, "/sign-in", "answer", used), http.StatusForbidden)
	fresh := ada.answerPasskeyChallenge()
	restore = ada.keepCookies()
	ada.expect("an invalid response", ada.json(http.MethodPost, "/sign-in", "answer", "{}"), http.StatusForbidden)
	restore()
	ada.expect("a valid response after an invalid one", ada.json(http.MethodPost, "/sign-in", "answer", fresh), http.StatusForbidden)
}

func TestPasskeyOfAnotherOriginIsRefused(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	ada := newBrowser(t, server)
	ada.createPasskey("name", "Ada")
	own := ada.origin
	for _, origin := range []string{"https://evil.example", strings.Replace(own, "localhost", "127.0.0.1", 1), own + "0"} {
		got := ada.do(http.MethodPost, "/sign-in/options", "{}", "Content-Type", "application/json", "Origin", origin)
		ada.expect("options for "+origin, got, http.StatusForbidden)
	}
	ada.expect("options without an origin", ada.do(http.MethodPost, "/sign-in/options", "{}", "Content-Type", "application/json", "Origin", "", "Authorization", ""), http.StatusForbidden)
}

func TestSignInReplacesTheSessionOfTheBrowser(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t)
	bob, signedIn := owner.join("Bob")
	other := newBrowser(t, server)
	path := owner.link(owner.userID)
	before := bob.expect("Bob's sessions", bob.do(http.MethodGet, "/me/sessions", ""), http.StatusOK)
	if !strings.Contains(before.body, `"current":true`) {
		t.Errorf("no session is marked as the current one: %s", before.body)
	}
	bob.expect("the owner's link", bob.json(http.MethodPost, path), http.StatusOK)
	if got := decode[[]struct{ Current bool }](bob, bob.do(http.MethodGet, "/me/sessions", "")); len(got) != 2 {
		t.Errorf("the owner has %d sessions, want 2", len(got))
	}
	other.awaitRefusal(signedIn.Token)
}

func TestPasskeysAreNamedAndRemoved(t *testing.T) {
	t.Parallel()
	_, _, owner := startTeam(t)
	page := owner.get("/me")
	_, rest, _ := strings.Cut(page.body, `action="/me/passkeys/`)
	id, _, _ := strings.Cut(rest, `"`)
	owner.expect("rename", owner.form("/me/passkeys/"+id, "name", "My <key>"), http.StatusSeeOther)
	if page := owner.get("/me"); !strings.Contains(page.body, `value="My &lt;key&gt;"`) {
		t.Errorf("the page does not show the name of the passkey: %s", page.body)
	}
	owner.expect("rename a passkey that does not exist", owner.form("/me/passkeys/AAAA", "name", "x"), http.StatusNotFound)
	owner.expect("remove", owner.form("/me/passkeys/"+id, "remove", "true", "name", "My <key>"), http.StatusSeeOther)
	owner.expect("rename a removed passkey", owner.form("/me/passkeys/"+id, "name", "back"), http.StatusNotFound)
	owner.expect("sign in with a removed passkey", owner.json(http.MethodPost, "/sign-in", "answer", owner.answerPasskeyChallenge()), http.StatusForbidden)
}
