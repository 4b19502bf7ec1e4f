package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"burble/app/client"
	"burble/app/identity"
	"burble/app/peer"
)

// A surface is one of the ways to use Burble. The tests in this file check that all surfaces accept
// and refuse the same origins and credentials.
type surface struct {
	name    string
	changes bool // it stores something, or opens a socket
	// request makes a request with further headers. It returns the status, and the ID of the user
	// that the server took the client for: "" for none, unknown if the response does not show it.
	request func(s *testServer, headers ...string) (status int, user string)
}

const unknown = "unknown"

var surfaces = []surface{
	{"socket", true, openSocket},
	{"post of JSON", true, postMessage("application/json", `{"text":"hi"}`)},
	{"post of a form", true, postMessage("application/x-www-form-urlencoded", `text=hi`)},
	{"post of text", true, postMessage("text/plain", `hi`)},
	{"session by JSON", true, postSession("application/json", `{"name":"Eve"}`)},
	{"session by form", true, postSession("application/x-www-form-urlencoded", `name=Eve`)},
	{"home page", false, getPage("/")},
	{"room page", false, getPage("/r/quiet")},
	{"message page", false, getMessagePage},
	{"rooms", false, getJSON("/rooms")},
	{"history", false, getJSON("/r/quiet/messages")},
	{"search", false, getJSON("/r/quiet/search?q=x")},
	{"SSE", false, openLiveRead("text/event-stream")},
	{"NDJSON", false, openLiveRead("application/x-ndjson")},
	{"plain text", false, openLiveRead("text/plain")},
}

func openSocket(s *testServer, headers ...string) (int, string) {
	s.t.Helper()
	c, refused := s.dial(headers...)
	if refused != nil {
		return refused.Status, ""
	}
	if hello := await[*client.Hello](c); hello.User != nil {
		return http.StatusSwitchingProtocols, hello.User.ID
	}
	return http.StatusSwitchingProtocols, ""
}

// postMessage posts a message, and reads its author from the room.
func postMessage(contentType, body string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		got := s.request("POST", "/r/lobby/messages", body, append(headers, "Content-Type: "+contentType)...)
		if got.status >= 400 {
			return got.status, ""
		}
		return got.status, s.history("lobby", "?limit=1").Entries[0].User.ID
	}
}

// postSession posts a session, which has the client's user ID, or a new one.
func postSession(contentType, body string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		got := s.request("POST", "/session", body, append(headers, "Content-Type: "+contentType)...)
		for _, cookie := range (&http.Response{Header: got.header}).Cookies() {
			if user, _, err := s.tokens.Verify(cookie.Value, time.Now()); err == nil {
				return got.status, user.ID
			}
		}
		return got.status, ""
	}
}

var pageUser = regexp.MustCompile(`<body [^>]*data-user="([^"]*)"`)

// getPage requests a page, which contains the user's ID.
func getPage(path string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		page := s.get(path, append(headers, "Accept: text/html")...)
		if found := pageUser.FindStringSubmatch(page.body); found != nil {
			return page.status, found[1]
		}
		return page.status, ""
	}
}

// getMessagePage requests the page of another user's message.
func getMessagePage(s *testServer, headers ...string) (int, string) {
	s.t.Helper()
	return getPage("/r/bobs/"+s.post(s.signIn("Bob"), "bobs", "hi").ID)(s, headers...)
}

func getJSON(path string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		return s.get(path, headers...).status, unknown
	}
}

func openLiveRead(accept string) func(*testServer, ...string) (int, string) {
	return func(s *testServer, headers ...string) (int, string) {
		s.t.Helper()
		stream, err := s.client.OpenStream(s.t.Context(), "/r/quiet/events", append(headers, "Accept: "+accept)...)
		if refused, ok := errors.AsType[*client.Error](err); ok {
			return refused.Status, unknown
		}
		if err != nil {
			s.t.Fatal(err)
		}
		stream.Close()
		return http.StatusOK, unknown
	}
}

func TestForeignOriginIsRefusedOnEverySurface(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	cookie := "Cookie: burble=" + ada.Token
	host, port, _ := strings.Cut(s.host, ":")
	foreign := map[string]string{
		"another site":              "https://evil.example",
		"null":                      "null",
		"another port":              "http://" + host + ":1",
		"no port":                   "http://" + host,
		"this host as a suffix":     "http://evil" + s.host,
		"this host as a prefix":     "http://" + s.host + ".evil.example",
		"this host as a subdomain":  "http://" + host + ".evil.example:" + port,
		"this host as a user name":  "http://" + s.host + "@evil.example",
		"a user name":               "http://evil@" + s.host,
		"a dot after the host":      "http://" + host + ".:" + port,
		"the same machine in IPv6":  "http://[::1]:" + port,
		"the host as IPv4 in IPv6":  "http://[::ffff:" + host + "]:" + port,
		"the host as a number":      "http://2130706433:" + port,
		"the same machine's name":   "http://localhost:" + port,
		"another scheme":            "ws://" + s.host,
		"a path":                    "http://" + s.host + "/",
		"two origins":               "http://" + s.host + " https://evil.example",
		"two origins, with a comma": "http://" + s.host + ",https://evil.example",
		"not an origin":             "evil",
	}
	credentials := map[string][]string{"none": nil, "cookie": {cookie}, "token": {ada.bearer()}, "both": {cookie, ada.bearer()}}
	for _, surface := range surfaces {
		for name, origin := range foreign {
			for kind, headers := range credentials {
				if status, _ := surface.request(s, append(headers, "Origin: "+origin)...); status != 403 {
					t.Errorf("%s, origin: %s, credentials: %s: %d", surface.name, name, kind, status)
				}
			}
		}
		for _, origin := range []string{"http://" + s.host, "HTTP://" + strings.ToUpper(s.host)} {
			if status, _ := surface.request(s, cookie, "Origin: "+origin); status >= 400 {
				t.Errorf("%s, origin %s: %d", surface.name, origin, status)
			}
		}
	}
}

// A request that changes something needs an Origin if it has a cookie. Only programs send none, and
// they have a token.
func TestChangeWithACookieNeedsAnOrigin(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	cookie := "Cookie: burble=" + ada.Token
	if refused := s.get("/ws", cookie); !strings.Contains(refused.body, "Authorization: Bearer") {
		t.Errorf("the error does not tell the client what to do: %s", refused.body)
	}
	for _, surface := range surfaces {
		isAllowed := func(headers ...string) bool {
			status, _ := surface.request(s, headers...)
			return status < 400
		}
		if isAllowed(cookie) == surface.changes {
			t.Errorf("%s with a cookie: allowed: %v", surface.name, surface.changes)
		}
		if !isAllowed(ada.bearer()) {
			t.Errorf("%s with a token: refused", surface.name)
		}
		if isAllowed("Cookie: burble=bad") != isAllowed() {
			t.Errorf("%s with an invalid cookie: not as without a cookie", surface.name)
		}
		// If something on the way has removed Origin, the browser's Sec-Fetch-Site still counts.
		for _, site := range []string{"cross-site", "same-site"} {
			if isAllowed(ada.bearer(), "Sec-Fetch-Site: "+site) == surface.changes {
				t.Errorf("%s with a token, %s: allowed: %v", surface.name, site, surface.changes)
			}
		}
		if !isAllowed(ada.bearer(), "Sec-Fetch-Site: none") || !isAllowed(ada.bearer(), "Sec-Fetch-Site: same-origin") {
			t.Errorf("%s with a token, of this site: refused", surface.name)
		}
	}
}

func TestPageWithoutTLSIsForeignBehindTLS(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.TrustedProxy = peer.ProxyFly })
	for _, surface := range surfaces {
		for origin, allowed := range map[string]bool{"https://" + s.host: true, "http://" + s.host: false} {
			status, _ := surface.request(s, s.signIn("Ada").bearer(), "X-Forwarded-Proto: https", "Origin: "+origin)
			if (status < 400) != allowed {
				t.Errorf("%s from %s: %d", surface.name, origin, status)
			}
		}
	}
}

// invalidTokens returns tokens for Ada that the server must not accept.
func invalidTokens(s *testServer, ada testUser) map[string]string {
	version, rest, _ := strings.Cut(ada.Token, ".")
	parts := strings.Split(rest, ".")
	join := func(id, name, expiry, signature string) string {
		return strings.Join([]string{version, id, name, expiry, signature}, ".")
	}
	id, name, expiry, signature := parts[0], parts[1], parts[2], parts[3]
	eve := s.signIn("Eve")
	evesSignature := eve.Token[strings.LastIndex(eve.Token, ".")+1:]
	raw, _ := base64.RawURLEncoding.DecodeString(signature)
	user := identity.User{ID: ada.ID, Name: ada.Name}
	return map[string]string{
		"another user's ID":        join(eve.ID, name, expiry, signature),
		"another name":             join(id, base64.RawURLEncoding.EncodeToString([]byte("Root")), expiry, signature),
		"a later expiry":           join(id, name, expiry+"0", signature),
		"another user's signature": join(id, name, expiry, evesSignature),
		"no signature":             join(id, name, expiry, ""),
		"half a signature":         join(id, name, expiry, signature[:20]),
		"a signature in hex":       join(id, name, expiry, fmt.Sprintf("%x", raw)),
		"a signature in base64":    join(id, name, expiry, base64.StdEncoding.EncodeToString(raw)), // not base64url
		"one more part":            ada.Token + ".x",
		"another version":          "2" + ada.Token[1:],
		"the end missing":          ada.Token[:len(ada.Token)-1],
		"upper case":               strings.ToUpper(ada.Token),
		"percent-encoding":         strings.ReplaceAll(ada.Token, ".", "%2E"),
		"an expiry passed":         s.tokens.Sign(user, time.Now().Add(-identity.TokenLife)),
		"another secret":           identity.NewTokens([]byte("another secret!!")).Sign(user, time.Now()),
		"an ID only":               ada.ID,
	}
}

func TestEverySurfaceAcceptsTheSameCredentials(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	invalid := invalidTokens(s, ada)
	for _, surface := range surfaces {
		t.Run(surface.name, func(t *testing.T) {
			s, origin := s.with(t), "Origin: http://"+s.host
			needsUser, makesUser := strings.HasPrefix(surface.name, "post"), strings.HasPrefix(surface.name, "session")
			expect := func(name, want string, headers ...string) {
				t.Helper()
				status, user := surface.request(s, append(headers, origin)...)
				switch {
				case want == "" && needsUser:
					if status != 403 {
						t.Errorf("%s: %d, want 403", name, status)
					}
				case status >= 400:
					t.Errorf("%s: %d", name, status)
				case want == "" && makesUser && user != ada.ID, user == unknown:
				case user != want:
					t.Errorf("%s: user %q, want %q", name, user, want)
				}
			}
			expectRefused := func(name string, headers ...string) {
				t.Helper()
				if status, _ := surface.request(s, append(headers, origin)...); status != 403 {
					t.Errorf("%s: %d, want 403", name, status)
				}
			}
			expect("nothing", "")
			expect("a cookie", ada.ID, "Cookie: burble="+ada.Token)
			expect("a cookie among others", ada.ID, "Cookie: theme=dark; burble="+ada.Token+"; burble2=x")
			expect("a quoted cookie", ada.ID, `Cookie: burble="`+ada.Token+`"`)
			expect("a cookie under its name for TLS", "", "Cookie: __Host-burble="+ada.Token)
			expect("a token", ada.ID, ada.bearer())
			expect("BEARER in capitals", ada.ID, "Authorization: BEARER "+ada.Token)
			expect("a token as Basic", "", "Authorization: Basic "+ada.Token)
			expect("a token without a scheme", "", "Authorization: "+ada.Token)
			expectRefused("an empty token", "Authorization: Bearer ")
			for name, token := range invalid {
				// A browser with an invalid cookie has no user; a program with an invalid token
				// must learn about it.
				bearer, cookie := "Authorization: Bearer "+token, "Cookie: burble="+token
				expect("a cookie with "+name, "", cookie)
				expectRefused("a token with "+name, bearer)
				expectRefused("a token with "+name+", and a valid cookie", bearer, "Cookie: burble="+ada.Token)
				expect("a valid token, and a cookie with "+name, ada.ID, ada.bearer(), cookie)
			}
		})
	}
}

func TestCookieBehindTLSBelongsToThisHost(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.TrustedProxy = peer.ProxyHeroku })
	tls := []string{"X-Forwarded-Proto: https", "Origin: https://" + s.host}
	got := s.postJSON("/session", `{"name":"Ada"}`, tls...)
	cookie := (&http.Response{Header: got.header}).Cookies()[0]
	if cookie.Name != "__Host-burble" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie: %s", cookie.Raw)
	}
	if plain := sessionCookie(t, s.postJSON("/session", `{"name":"Ada"}`, "X-Forwarded-Proto: http")); plain.Secure {
		t.Errorf("without TLS: %s", plain.Raw)
	}
	ada, eve := cookie.Value, s.signIn("Eve")
	// Another host of the same domain can set the cookie "burble", which must be ignored.
	for _, surface := range surfaces {
		status, user := surface.request(s, append(tls, "Cookie: burble="+eve.Token+"; __Host-burble="+ada)...)
		if user == eve.ID || status >= 400 {
			t.Errorf("%s: %d, user %q", surface.name, status, user)
		}
		if _, user := surface.request(s, append(tls, "Cookie: burble="+eve.Token)...); user == eve.ID {
			t.Errorf("%s: the other host's cookie is accepted", surface.name)
		}
	}
}
