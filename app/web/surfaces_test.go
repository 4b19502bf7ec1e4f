package web

import (
	"burble/app/client"
	"burble/app/identity"
	"burble/app/peer"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A surface is one way to ask something of Burble. All of them are closed to the same
// people: what holds for one is tested for all.
type surface struct {
	name    string
	changes bool // it stores something, or opens a socket
	// ask asks with these headers, and returns the status and whom the caller was
	// taken for: a user's ID, "" for nobody, and unsaid where the answer does not tell.
	ask func(s *testServer, headers ...string) (status int, as string)
}

const unsaid = "unsaid"

var surfaces = []surface{
	{"socket", true, func(s *testServer, headers ...string) (int, string) {
		c, refused := s.dial(headers...)
		if c == nil {
			return refused.Status, ""
		}
		if hello := await[*client.Hello](c); hello.User != nil {
			return http.StatusSwitchingProtocols, hello.User.ID
		}
		return http.StatusSwitchingProtocols, ""
	}},
	{"post of JSON", true, postAs(jsonKind, `{"text":"hi"}`)},
	{"post of a form", true, postAs(formKind, `text=hi`)},
	{"post of text", true, postAs("text/plain", `hi`)},
	{"session by JSON", true, sessionAs(jsonKind, `{"name":"Eve"}`)},
	{"session by form", true, sessionAs(formKind, `name=Eve`)},
	{"home page", false, pageAs("/")},
	{"room page", false, pageAs("/r/quiet")},
	{"message page", false, messagePageAs},
	{"rooms", false, getAs("/rooms")},
	{"history", false, getAs("/r/quiet/messages")},
	{"search", false, getAs("/r/quiet/search?q=x")},
	{"SSE", false, liveAs("text/event-stream")},
	{"NDJSON", false, liveAs("application/x-ndjson")},
	{"live text", false, liveAs("text/plain")},
}

// postAs posts a message. Who it is of is read from the room.
func postAs(kind, body string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		given := s.request("POST", "/r/lobby/messages", body, append(headers, "Content-Type: "+kind)...)
		if given.status >= 400 {
			return given.status, ""
		}
		return given.status, s.history("lobby", "?limit=1").Entries[0].User.ID
	}
}

// sessionAs asks for a session, which has the ID of whoever asks, or a new one.
func sessionAs(kind, body string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		given := s.request("POST", "/session", body, append(headers, "Content-Type: "+kind)...)
		for _, cookie := range (&http.Response{Header: given.header}).Cookies() {
			if guest, _, err := s.tokens.Verify(cookie.Value, time.Now()); err == nil {
				return given.status, guest.ID
			}
		}
		return given.status, ""
	}
}

var dataUser = regexp.MustCompile(`<body [^>]*data-user="([^"]*)"`)

// pageAs asks for a page, which says who it is for.
func pageAs(path string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		page := s.get(path, append(headers, "Accept: text/html")...)
		if found := dataUser.FindStringSubmatch(page.body); found != nil {
			return page.status, found[1]
		}
		return page.status, ""
	}
}

// messagePageAs asks for the page at a message, which somebody else wrote.
func messagePageAs(s *testServer, headers ...string) (int, string) {
	s.t.Helper()
	return pageAs("/r/told/"+s.post(s.signIn("Bob"), "told", "hi").ID)(s, headers...)
}

func getAs(path string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		return s.get(path, headers...).status, unsaid
	}
}

// liveAs asks for a live read, and reads no more than that it begins.
func liveAs(accept string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		stream, err := s.client.OpenStream(s.t.Context(), "/r/quiet/events", append(headers, "Accept: "+accept)...)
		if refused, ok := errors.AsType[*client.Error](err); ok {
			return refused.Status, unsaid
		}
		if err != nil {
			s.t.Fatal(err)
		}
		stream.Close()
		return http.StatusOK, unsaid
	}
}

func TestForeignOriginIsRefusedOnEverySurface(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	cookie := "Cookie: burble=" + ada.Token
	host, port, _ := strings.Cut(s.host, ":")
	foreign := map[string]string{
		"another site":              "https://evil.example",
		"null":                      "null",
		"another port":              "http://" + host + ":1",
		"the port left out":         "http://" + host,
		"our name as a suffix":      "http://evil" + s.host,
		"our name as a prefix":      "http://" + s.host + ".evil.example",
		"our name as a subdomain":   "http://" + host + ".evil.example:" + port,
		"our name as a user":        "http://" + s.host + "@evil.example",
		"a user before our name":    "http://evil@" + s.host,
		"a dot behind our name":     "http://" + host + ".:" + port,
		"IPv6 of the same machine":  "http://[::1]:" + port,
		"our address in IPv6":       "http://[::ffff:" + host + "]:" + port,
		"another spelling of it":    "http://2130706433:" + port,
		"the same machine's name":   "http://localhost:" + port,
		"another scheme":            "ws://" + s.host,
		"a path":                    "http://" + s.host + "/",
		"two origins":               "http://" + s.host + " https://evil.example",
		"two origins, with a comma": "http://" + s.host + ",https://evil.example",
		"not an origin":             "evil",
	}
	credentials := map[string][]string{"nobody": nil, "cookie": {cookie}, "token": {ada.bearer()}, "both": {cookie, ada.bearer()}}
	for _, surface := range surfaces {
		for what, origin := range foreign {
			for who, headers := range credentials {
				if status, _ := surface.ask(s, append(headers, "Origin: "+origin)...); status != 403 {
					t.Errorf("%s from %s, with %s: %d", surface.name, what, who, status)
				}
			}
		}
		if status, _ := surface.ask(s, cookie, "Origin: http://"+s.host); status >= 400 {
			t.Errorf("%s from this host: %d", surface.name, status)
		}
		if status, _ := surface.ask(s, cookie, "Origin: HTTP://"+strings.ToUpper(s.host)); status >= 400 {
			t.Errorf("%s from this host, in capitals: %d", surface.name, status)
		}
	}
}

func TestMissingOriginIsOnlyForProgramsWhereSomethingChanges(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	cookie := "Cookie: burble=" + ada.Token
	if told := s.get("/ws", cookie); !strings.Contains(told.body, "Authorization: Bearer") {
		t.Errorf("with a cookie, and not told what to do: %s", told.body)
	}
	for _, surface := range surfaces {
		ask := func(headers ...string) bool {
			status, _ := surface.ask(s, headers...)
			return status < 400
		}
		if ask(cookie) == surface.changes {
			t.Errorf("%s, with a cookie: %v", surface.name, !surface.changes)
		}
		if !ask(ada.bearer()) {
			t.Errorf("%s, with a token: refused", surface.name)
		}
		if ask("Cookie: burble=bad") != ask() {
			t.Errorf("%s, with a cookie that is no good: not as without", surface.name)
		}
		// Had something on the way taken Origin off, the browser still says where from.
		for _, site := range []string{"cross-site", "same-site"} {
			if ask(ada.bearer(), "Sec-Fetch-Site: "+site) == surface.changes {
				t.Errorf("%s, with a token, %s: %v", surface.name, site, !surface.changes)
			}
		}
		if !ask(ada.bearer(), "Sec-Fetch-Site: none") || !ask(ada.bearer(), "Sec-Fetch-Site: same-origin") {
			t.Errorf("%s, with a token, from nowhere else: refused", surface.name)
		}
	}
}

func TestPageWithoutTLSIsAnotherSiteBehindTLS(t *testing.T) {
	s := startOne(t, func(config *settings) { config.TrustedProxy = peer.ProxyFly })
	for _, surface := range surfaces {
		for origin, allowed := range map[string]bool{"https://" + s.host: true, "http://" + s.host: false} {
			status, _ := surface.ask(s, s.signIn("Ada").bearer(), "X-Forwarded-Proto: https", "Origin: "+origin)
			if (status < 400) != allowed {
				t.Errorf("%s from %s: %d", surface.name, origin, status)
			}
		}
	}
}

// proof is a way to say who one is, good or not.
type proof struct{ name, token string }

// badProofs are tokens of Ada's that are no good.
func badProofs(s *testServer, ada testUser) []proof {
	version, rest, _ := strings.Cut(ada.Token, ".")
	parts := strings.Split(rest, ".")
	join := func(id, name, expiry, signature string) string {
		return strings.Join([]string{version, id, name, expiry, signature}, ".")
	}
	id, name, expiry, signature := parts[0], parts[1], parts[2], parts[3]
	eve := s.signIn("Eve")
	evesSignature := eve.Token[strings.LastIndex(eve.Token, ".")+1:]
	raw, _ := base64.RawURLEncoding.DecodeString(signature)
	guest := identity.User{ID: ada.User.ID, Name: ada.User.Name}
	return []proof{
		{"another's ID", join(eve.User.ID, name, expiry, signature)},
		{"another's name", join(id, base64.RawURLEncoding.EncodeToString([]byte("Root")), expiry, signature)},
		{"a longer life", join(id, name, expiry+"0", signature)},
		{"another's signature", join(id, name, expiry, evesSignature)},
		{"no signature", join(id, name, expiry, "")},
		{"half a signature", join(id, name, expiry, signature[:20])},
		{"the signature in hex", join(id, name, expiry, fmt.Sprintf("%x", raw))},
		{"the signature in another base64", join(id, name, expiry, base64.StdEncoding.EncodeToString(raw))},
		{"a part more", ada.Token + ".x"},
		{"another version", "2" + ada.Token[1:]},
		{"cut off", ada.Token[:len(ada.Token)-1]},
		{"in capitals", strings.ToUpper(ada.Token)},
		{"percent-encoded", strings.ReplaceAll(ada.Token, ".", "%2E")},
		{"expired", s.tokens.Sign(guest, time.Now().Add(-identity.TokenLife))},
		{"of another secret", identity.NewTokens([]byte("another secret!!")).Sign(guest, time.Now())},
		{"an ID alone", ada.User.ID},
	}
}

func TestEverySurfaceTakesTheSameProofs(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	origin := "Origin: http://" + s.host
	for _, surface := range surfaces {
		t.Run(surface.name, func(t *testing.T) {
			expect := func(what string, wanted string, headers ...string) {
				t.Helper()
				status, as := surface.ask(s, append(headers, origin)...)
				switch {
				case wanted == "refused" && status != 403:
					t.Errorf("%s: %d", what, status)
				case wanted == "refused" || strings.HasPrefix(surface.name, "post") && wanted == "" && status == 403:
				case status >= 400:
					t.Errorf("%s: %d", what, status)
				case as == unsaid || strings.HasPrefix(surface.name, "session") && wanted == "" && as != ada.User.ID:
				case as != wanted:
					t.Errorf("%s: taken for %q, want %q", what, as, wanted)
				}
			}
			expect("nobody", "")
			expect("a cookie", ada.User.ID, "Cookie: burble="+ada.Token)
			expect("a cookie among others", ada.User.ID, "Cookie: theme=dark; burble="+ada.Token+"; burble2=x")
			expect("a cookie in quotes", ada.User.ID, `Cookie: burble="`+ada.Token+`"`)
			expect("a cookie by the name it has behind TLS", "", "Cookie: __Host-burble="+ada.Token)
			expect("a token", ada.User.ID, ada.bearer())
			expect("a token, in capitals", ada.User.ID, "Authorization: BEARER "+ada.Token)
			expect("a token as a password", "", "Authorization: Basic "+ada.Token)
			expect("a token without a word before it", "", "Authorization: "+ada.Token)
			expect("no token", "refused", "Authorization: Bearer ")
			for _, bad := range badProofs(s, ada) {
				// A browser whose cookie is no good any more is nobody yet; a program
				// whose token is none is mistaken.
				expect("a cookie with "+bad.name, "", "Cookie: burble="+bad.token)
				expect("a token with "+bad.name, "refused", "Authorization: Bearer "+bad.token)
				expect("a token with "+bad.name+", and a good cookie", "refused", "Authorization: Bearer "+bad.token, "Cookie: burble="+ada.Token)
				expect("a good token, and a cookie with "+bad.name, ada.User.ID, ada.bearer(), "Cookie: burble="+bad.token)
			}
		})
	}
}

func TestCookieBehindTLSIsThisHostsOwn(t *testing.T) {
	s := startOne(t, func(config *settings) { config.TrustedProxy = peer.ProxyHeroku })
	tls := []string{"X-Forwarded-Proto: https", "Origin: https://" + s.host}
	given := s.postJSON("/session", `{"name":"Ada"}`, tls...)
	cookie := (&http.Response{Header: given.header}).Cookies()[0]
	if cookie.Name != "__Host-burble" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie: %s", cookie.Raw)
	}
	if plain := sessionCookie(t, s.postJSON("/session", `{"name":"Ada"}`, "X-Forwarded-Proto: http")); plain.Secure {
		t.Errorf("in plain text: %s", plain.Raw)
	}
	ada, eve := cookie.Value, s.signIn("Eve")
	// What a neighbour under the same domain could set is not looked at.
	for _, surface := range surfaces {
		status, as := surface.ask(s, append(tls, "Cookie: burble="+eve.Token+"; __Host-burble="+ada)...)
		if as == eve.User.ID || status >= 400 {
			t.Errorf("%s: %d, taken for %q", surface.name, status, as)
		}
		if _, as := surface.ask(s, append(tls, "Cookie: burble="+eve.Token)...); as == eve.User.ID {
			t.Errorf("%s: a neighbour's cookie was taken", surface.name)
		}
	}
}
