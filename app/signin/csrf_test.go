//go:build unix

package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func TestOtherSitesCannotSignPeopleIn(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t)
	mallory, signedIn := owner.join("Mallory")
	link := mallory.link(signedIn.User.ID)
	_, invite := owner.invite()
	victim := newBrowser(t, server)
	paths := []string{link, invite, "/setup", "/sign-in", "/sign-in/options", "/sign-up", "/sign-out", "/passkeys", "/passkeys/options", "/me", "/me/leave", "/me/sessions", "/invites", "/people/" + signedIn.User.ID + "/link"}
	for _, path := range paths {
		for _, headers := range [][]string{
			{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "null", "Sec-Fetch-Site", "cross-site"}, {"Origin", "null", "Sec-Fetch-Site", "same-site"},
			{"Origin", "", "Sec-Fetch-Site", "cross-site"},
		} {
			headers = append(headers, "Content-Type", "application/x-www-form-urlencoded")
			victim.expect(path, victim.do(http.MethodPost, path, "name=Victim", headers...), http.StatusForbidden)
		}
	}
	if cookies := victim.client.Jar.Cookies(mustParse(victim.origin)); len(cookies) != 0 {
		t.Errorf("the browser got cookies %v, want none", cookies)
	}
	// A form on a page with Referrer-Policy: no-referrer sends Origin: null, together with Sec-Fetch-Site: same-origin.
	got := victim.do(http.MethodPost, link, "", "Origin", "null", "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded")
	victim.expect("a form on one of the server's own pages", got, http.StatusSeeOther)
}

func mustParse(text string) *url.URL {
	parsed, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return parsed
}

func TestNextLeadsOnlyToThisServer(t *testing.T) {
	t.Parallel()
	_, _, owner := startTeam(t)
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/\t/evil.example", "javascript:alert(1)", "evil.example"} {
		page := owner.get("/sign-in?next=" + url.QueryEscape(next))
		if !strings.Contains(page.body, `href="/">Continue`) {
			t.Errorf("next %q: the page's Continue link does not lead to /: %s", next, page.body)
		}
		page = owner.get("/welcome?next=" + url.QueryEscape(next))
		if !strings.Contains(page.body, `href="/">Not now`) {
			t.Errorf("next %q: \"Not now\" does not lead to /: %s", next, page.body)
		}
		owner.json(http.MethodPost, "/sign-out")
		signedIn := decode[signInResponse](owner, owner.json(http.MethodPost, "/sign-in", "answer", owner.answerPasskeyChallenge(), "next", next))
		if signedIn.Next != "/" {
			t.Errorf("next %q: a sign-in leads to %q, want /", next, signedIn.Next)
		}
	}
}

func TestPagesOfOldBrowsersRevealOnlyTheOrigin(t *testing.T) {
	t.Parallel()
	_, server, owner := startTeam(t)
	_, invite := owner.invite()
	old := newBrowser(t, server)
	got := old.do(http.MethodGet, invite, "", "Accept", "text/html", "User-Agent", "Mozilla/5.0")
	if policy := got.header.Get("Referrer-Policy"); policy != "origin" {
		t.Errorf("without Sec-Fetch-Site, the policy is %q, want origin", policy)
	}
	got = old.do(http.MethodGet, invite, "", "Accept", "text/html", "User-Agent", "Mozilla/5.0", "Sec-Fetch-Site", "none")
	if policy := got.header.Get("Referrer-Policy"); policy != "no-referrer" {
		t.Errorf("with Sec-Fetch-Site, the policy is %q, want no-referrer", policy)
	}
}

func TestCookiesBehindTLSBelongToThisHost(t *testing.T) {
	t.Parallel()
	mock, settings := startProvider(t)
	server := apptest.Start(t, redistest.Start(t), append(settings, "TRUSTED_PROXY=forwarded", "HOSTS=chat.example.org")...)
	ada := newBrowser(t, server)
	secure := []string{"X-Forwarded-Proto", "https", "Origin", strings.Replace(ada.origin, "http:", "https:", 1), "Content-Type", "application/json"}
	options := ada.expect("options", ada.do(http.MethodPost, "/sign-in/options", "{}", secure...), http.StatusOK)
	start := ada.expect("start", ada.do(http.MethodGet, "/oidc/start", "", "X-Forwarded-Proto", "https"), http.StatusSeeOther)
	signedUp := ada.expect("sign up", ada.do(http.MethodPost, "/sign-up", `{"name":"Ada"}`, secure...), http.StatusCreated)
	if redirect := mustParse(start.location()).Query().Get("redirect_uri"); redirect != strings.Replace(ada.origin, "http:", "https:", 1)+"/oidc/callback" || !strings.HasPrefix(start.location(), mock.Issuer()) {
		t.Errorf("redirected to %s, want the provider, with this site's callback", start.location())
	}
	for name, got := range map[string]response{"__Host-burble_passkey": options, "__Host-burble_provider": start, "__Host-burble": signedUp} {
		cookie := got.header.Get("Set-Cookie")
		for _, want := range []string{name + "=", "; path=/", "; HttpOnly", "; secure", "; SameSite=Lax"} {
			if !strings.Contains(strings.ToLower(cookie), strings.ToLower(want)) {
				t.Errorf("the cookie %q lacks %q", cookie, want)
			}
		}
	}
}
