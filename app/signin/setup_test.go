//go:build unix

package signin_test

import (
	"net/http"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestSetupLinkMakesTheFirstOwner(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	path, code := setupPath(t, server)
	owner := newBrowser(t, server)
	for range 2 { // a GET does not spend the code
		page := owner.expect("setup page", owner.get(path), http.StatusOK)
		if page.header.Get("Cache-Control") != "no-store" || page.header.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(page.body, "Become the owner") {
			t.Errorf("the page does not offer to become the owner, or its headers are wrong: %v %s", page.header, page.body)
		}
		owner.expect("setup page, HEAD", owner.do(http.MethodHead, path, "", "Accept", "text/html"), http.StatusOK)
	}
	signedIn := owner.createPasskey("name", "Olga", "code", code)
	if got := owner.role(signedIn.User.ID); got != "owner" {
		t.Errorf("the role is %q, want owner", got)
	}
	late := newBrowser(t, server)
	for what, got := range map[string]response{
		"page": late.get(path), "form": late.form("/setup", "code", code, "name", "Mallory"),
		"options": late.json(http.MethodPost, "/passkeys/options", "code", code, "name", "Mallory"),
	} {
		late.expect("a used setup code, "+what, got, http.StatusNotFound)
	}
	owner.expect("sign out", owner.json(http.MethodPost, "/sign-out"), http.StatusNoContent)
	owner.expect("people after the sign-out", owner.do(http.MethodGet, "/people", ""), http.StatusForbidden)
	if again := owner.usePasskey(); again.User.ID != signedIn.User.ID || owner.role(signedIn.User.ID) != "owner" {
		t.Errorf("signed in as %+v, want the owner", again)
	}
	server.Restart()
	if output := server.Output(); strings.Count(output, "/setup?code=") != 1 {
		t.Errorf("the server logged another setup link although there is an owner: %s", output)
	}
}

func TestSetupWorksWithoutScript(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t), "ACCESS=members")
	path, code := setupPath(t, server)
	owner := newBrowser(t, server)
	key := hiddenField(t, owner.get(path).body, "key")
	refused := owner.expect("without a name", owner.form("/setup", "code", code, "key", key, "name", ""), http.StatusBadRequest)
	if !strings.Contains(refused.body, `role="alert">A name`) || !strings.Contains(refused.body, code) {
		t.Errorf("the page does not show the form with the reason: %s", refused.body)
	}
	for range 2 { // a form that is sent twice creates one account
		if got := owner.expect("setup", owner.form("/setup", "code", code, "key", key, "name", "Olga"), http.StatusSeeOther); got.location() != "/welcome?next=%2F" {
			t.Fatalf("redirected to %q, want the page /welcome", got.location())
		}
		owner.clearToken()
	}
	owner.expect("setup", owner.form("/setup", "code", code, "key", key, "name", "Olga"), http.StatusSeeOther)
	people := decode[[]struct{ Name, Role string }](owner, owner.do(http.MethodGet, "/people", ""))
	if len(people) != 1 || people[0].Name != "Olga" || people[0].Role != "owner" {
		t.Errorf("got people %v, want one owner", people)
	}
}

func TestAccountCanBecomeOwner(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	path, code := setupPath(t, server)
	member := newBrowser(t, server)
	signedIn := decode[signInResponse](member, member.expect("sign up", member.json(http.MethodPost, "/sign-up", "name", "Ada"), http.StatusCreated))
	if page := member.get(path); strings.Contains(page.body, "data-passkey") {
		t.Errorf("the page asks a person with an account for another passkey: %s", page.body)
	}
	member.expect("setup", member.form("/setup", "code", code), http.StatusSeeOther)
	if got := member.role(signedIn.User.ID); got != "owner" {
		t.Errorf("the role is %q, want owner", got)
	}
}

func TestSetupRefusesOtherInvites(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t)
	_, path := owner.invite("uses", "5")
	code := strings.TrimPrefix(path, "/i/")
	eve := newBrowser(t, server)
	bob, _ := owner.join("Bob")
	for what, got := range map[string]response{
		"page": eve.get("/setup?code=" + code), "form": eve.form("/setup", "code", code, "name", "Eve"),
		"options": eve.json(http.MethodPost, "/passkeys/options", "code", code, "name", "Eve"), "a member": bob.form("/setup", "code", code),
	} {
		eve.expect(what, got, http.StatusNotFound)
	}
	if audit := owner.do(http.MethodGet, "/audit", ""); strings.Count(audit.body, `"role":"owner"`) != 1 {
		t.Errorf("the audit records another owner: %s", audit.body)
	}
	if people := owner.do(http.MethodGet, "/people", ""); strings.Contains(people.body, "Eve") {
		t.Errorf("another account was created: %s", people.body)
	}
}
