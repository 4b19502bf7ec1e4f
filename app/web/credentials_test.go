package web

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"burble/app/identity"
	"burble/app/peer"
)

// invalidTokens returns tokens for Ada that the server must refuse, by their defect.
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
		"an extra part":            ada.Token + ".x",
		"another version":          "2" + ada.Token[1:],
		"a missing end":            ada.Token[:len(ada.Token)-1],
		"upper case":               strings.ToUpper(ada.Token),
		"percent-encoding":         strings.ReplaceAll(ada.Token, ".", "%2E"),
		"a past expiry":            s.tokens.Sign(user, time.Now().Add(-identity.TokenLifetime)),
		"another secret":           identity.NewTokens([]byte("another secret!!")).Sign(user, time.Now()),
		"an ID only":               ada.ID,
	}
}

func TestEverySurfaceAcceptsTheSameCredentials(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	invalid := invalidTokens(s, ada)
	for _, surface := range surfaces {
		t.Run(surface.name, func(t *testing.T) {
			s, origin := s.with(t), "Origin: http://"+s.host
			needsUser, makesUser := strings.HasPrefix(surface.name, "message as "), strings.HasPrefix(surface.name, "sign-in ")
			expect := func(name, want string, headers ...string) {
				t.Helper()
				status, user := surface.request(s, append(headers, origin)...)
				switch {
				case want == "" && needsUser:
					if status != 403 {
						t.Errorf("%s: %d, want 403", name, status)
					}
				case status >= 400:
					t.Errorf("%s: status %d, want below 400", name, status)
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
				// The server ignores an invalid cookie, but refuses an invalid bearer token.
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
	s := startOne(t, withFiles(t), func(set *settings) { set.TrustedProxy = peer.ProxyHeroku })
	tls := []string{"X-Forwarded-Proto: https", "Origin: https://" + s.host}
	got := s.postJSON("/session", `{"name":"Ada"}`, tls...)
	cookie := (&http.Response{Header: got.header}).Cookies()[0]
	if cookie.Name != "__Host-burble" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie: %s, want __Host-burble with Secure, HttpOnly, SameSite=Lax and the path /", cookie.Raw)
	}
	if plain := sessionCookie(t, s.postJSON("/session", `{"name":"Ada"}`, "X-Forwarded-Proto: http")); plain.Secure {
		t.Errorf("without TLS: cookie %s, want it without Secure", plain.Raw)
	}
	ada, eve := cookie.Value, s.signIn("Eve")
	// Another host of the same domain can set the cookie "burble", which must be ignored.
	for _, surface := range surfaces {
		status, user := surface.request(s, append(tls, "Cookie: burble="+eve.Token+"; __Host-burble="+ada)...)
		if user == eve.ID || status >= 400 {
			t.Errorf("%s: status %d, user %q; want any other user than %q", surface.name, status, user, eve.ID)
		}
		if _, user := surface.request(s, append(tls, "Cookie: burble="+eve.Token)...); user == eve.ID {
			t.Errorf("%s: the server accepts the other host's cookie", surface.name)
		}
	}
}
