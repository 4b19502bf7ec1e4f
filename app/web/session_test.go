package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"burble/app/identity"

	"github.com/google/uuid"
)

// sessionCookie returns the only cookie that a response sets.
func sessionCookie(t *testing.T, got response) *http.Cookie {
	t.Helper()
	cookies := (&http.Response{Header: got.header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != "burble" {
		t.Fatalf("cookies: %v, want one named burble", cookies)
	}
	return cookies[0]
}

func TestSessionReturnsATokenAndSetsACookie(t *testing.T) {
	t.Parallel()
	here, there := startTwo(t, newMiniredis(t))
	got := here.postJSON("/session", `{"name":"  Ada   Lovelace "}`)
	var ada testUser
	got.decode(t, &ada)
	if got.status != 200 || ada.Name != "Ada Lovelace" || uuid.Validate(ada.ID) != nil || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, body %s; want 200, a name with single spaces, and a user ID", got.status, got.body)
	}
	cookie := sessionCookie(t, got)
	if cookie.Value != ada.Token || cookie.Path != "/" || !cookie.HttpOnly || cookie.Secure ||
		cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge != 180*24*3600 || cookie.Domain != "" {
		t.Errorf("cookie: %s, want the token for 180 days, HttpOnly, SameSite=Lax, path /", cookie.Raw)
	}
	// The other server accepts both.
	sameOrigin := "Origin: http://" + there.host
	for _, headers := range [][]string{{ada.bearer()}, {"Cookie: burble=" + ada.Token, sameOrigin}} {
		if posted := there.postJSON("/r/lobby/messages", `{"text":"hi"}`, headers...); posted.status != 201 {
			t.Errorf("%v: status %d, want 201: %s", headers, posted.status, posted.body)
		}
	}
}

func TestSessionRenamesAnExistingUser(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	for name, header := range map[string]string{"token": ada.bearer(), "cookie": "Cookie: burble=" + ada.Token} {
		got := s.postJSON("/session", `{"name":"Countess"}`, header, "Origin: http://"+s.host)
		var renamed testUser
		got.decode(t, &renamed)
		if renamed.ID != ada.ID || renamed.Name != "Countess" || renamed.Token == ada.Token {
			t.Errorf("with a %s: got %s, want the same ID with the new name and a new token", name, got.body)
		}
	}
	if other := s.signIn("Ada"); other.ID == ada.ID {
		t.Error("two users with the same name have the same ID")
	}
}

func TestPagesRenewAnOldCookie(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada, _ := identity.NewUser("Ada")
	const day = 24 * time.Hour
	for _, test := range []struct {
		path    string
		age     time.Duration
		headers []string
		renewed bool
	}{
		{"/", 31 * day, nil, true},
		{"/r/lobby", 179 * day, nil, true},
		{"/r/lobby", 29 * day, nil, false},
		{"/r/lobby", 181 * day, nil, false}, // expired
		{"/r/lobby", 31 * day, []string{s.signIn("Bob").bearer()}, false},
		{"/r/lobby/messages", 31 * day, nil, false},
	} {
		cookie := "Cookie: burble=" + s.tokens.Sign(ada, time.Now().Add(-test.age))
		got := s.get(test.path, append(test.headers, cookie, "Accept: text/html")...)
		if renewed := got.header.Get("Set-Cookie") != ""; renewed != test.renewed {
			t.Errorf("%s after %v, with %q: renewed: %v, want %v", test.path, test.age, test.headers, renewed, test.renewed)
		} else if renewed {
			user, expiry, err := s.tokens.Verify(sessionCookie(t, got).Value, time.Now())
			if err != nil || user != ada || time.Until(expiry) < identity.TokenLifetime-time.Minute {
				t.Errorf("%s: renewed for %v until %v, %v; want %v for %v", test.path, user, expiry, err, ada, identity.TokenLifetime)
			}
		}
	}
}

func TestSessionFormRedirectsBack(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for next, want := range map[string]string{
		"":                               "/",
		"%2Fr%2Flobby":                   "/r/lobby",
		"%2Fr%2Flobby%2F1-1":             "/r/lobby/1-1",
		"%2Fr%2Flobby%3Fat%3D2026-03-01": "/r/lobby?at=2026-03-01",
		"https%3A%2F%2Fevil.example":     "/",
		"%2F%2Fevil.example":             "/",
		"%2F%5Cevil.example":             "/",
		"%5C%5Cevil.example":             "/",
		"r%2Flobby":                      "/",
		"%2F%0d%0aSet-Cookie%3A+a%3Db":   "/",
		"%2F%09%2Fevil.example":          "/",
		"javascript%3Aalert(1)":          "/",
		"%20%2F%2Fevil.example":          "/",
	} {
		got := s.postForm("/session", "name=Ada+%26+Bob&next="+next)
		marked := want + map[bool]string{true: "&", false: "?"}[strings.Contains(want, "?")] + "signed-in-as=Ada+%26+Bob"
		if got.status != http.StatusSeeOther || got.header.Get("Location") != marked {
			t.Errorf("next %q: %d, Location %q, want %q", next, got.status, got.header.Get("Location"), marked)
		}
		page := s.get(marked, "Cookie: burble="+sessionCookie(t, got).Value)
		if page.status != http.StatusSeeOther || page.header.Get("Location") != want {
			t.Errorf("%s with the cookie: %d, Location %q, want %q", marked, page.status, page.header.Get("Location"), want)
		}
	}
	if got := s.postForm("/session", "name=Ada&next=/rooms"); got.header.Get("Location") != "/rooms" {
		t.Errorf("Location %q, want /rooms, which refuses unknown parameters", got.header.Get("Location"))
	}
	refused := s.postForm("/session", "name=+&next=%2Fr%2Flobby", "Accept: text/html")
	if refused.status != 400 || !strings.Contains(refused.body, "name must not be empty") || refused.header.Get("Set-Cookie") != "" {
		t.Errorf("empty name: status %d, want 400, the reason, and no cookie: %s", refused.status, refused.body)
	}
}

func TestPageReportsThatCookiesAreBlocked(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	const notice = "Your browser is blocking cookies"
	ada := s.signIn("Ada")
	for _, path := range []string{"/", "/r/lobby", "/r/lobby?at=2026-03-01", "/r/lobby/1-1"} {
		separator := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
		page := s.get(path+separator+"signed-in-as=Ada+%3CLovelace%3E", "Accept: text/html")
		if !strings.Contains(page.body, notice) || !strings.Contains(page.body, `value="Ada &lt;Lovelace&gt;"`) || strings.Contains(page.body, "aria-invalid") {
			t.Errorf("%s: the page lacks the notice or the name, or blames the name: %d %s", path, page.status, page.body)
		}
		for _, others := range []response{
			s.get(path, "Accept: text/html"),
			s.get(path+separator+"signed-in-as=", "Accept: text/html"),
			s.get(path+separator+"signed-in-as="+strings.Repeat("x", 41), "Accept: text/html"),
			s.get(path, "Accept: text/html", "Cookie: burble="+ada.Token),
			s.get(path+separator+"signed-in-as=Ada", "Accept: text/html", "Sec-Fetch-Site: cross-site"), // a shared link
			s.get(path+separator+"signed-in-as=Ada", "Accept: text/html", "Sec-Fetch-Site: none"),
		} {
			if strings.Contains(others.body, notice) {
				t.Errorf("%s: the page shows the notice without a reason", path)
			}
		}
	}
	// The redirect stays on this server even if the request's path looks like another host.
	for _, path := range []string{"//evil.example/", "//evil.example", "//", "/%2Fevil.example/"} {
		got := s.get(path+"?signed-in-as=Ada", "Cookie: burble="+ada.Token)
		if location := got.header.Get("Location"); location != "" && location != "/" {
			t.Errorf("%s: redirected to %s, want / or no redirect", path, location)
		}
	}
}
