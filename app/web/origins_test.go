package web

import (
	"strings"
	"testing"

	"burble/app/peer"
	"burble/app/protocol"
	"burble/streams/redistest"
)

func TestForeignOriginIsRefusedOnEverySurface(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := startOne(t, withFiles(t))
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
					t.Errorf("%s, origin: %s, credentials: %s: status %d, want 403", surface.name, name, kind, status)
				}
			}
		}
		for _, origin := range []string{"http://" + s.host, "HTTP://" + strings.ToUpper(s.host)} {
			if status, _ := surface.request(s, cookie, "Origin: "+origin); status >= 400 {
				t.Errorf("%s, origin %s: status %d, want below 400", surface.name, origin, status)
			}
		}
	}
}

// A request that changes something and has a cookie must have an Origin. Only programs send no Origin, and they
// use a token.
func TestChangeWithACookieNeedsAnOrigin(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t))
	ada := s.signIn("Ada")
	cookie := "Cookie: burble=" + ada.Token
	if refused := s.get("/ws", cookie); !strings.Contains(refused.body, "Authorization: Bearer") {
		t.Errorf("the error does not advise the client to send a token: %s", refused.body)
	}
	for _, surface := range surfaces {
		isAllowed := func(headers ...string) bool {
			status, _ := surface.request(s, headers...)
			return status < 400
		}
		if isAllowed(cookie) == surface.hasEffect {
			t.Errorf("%s with a cookie and no Origin: allowed: %v, want %v", surface.name, surface.hasEffect, !surface.hasEffect)
		}
		if !isAllowed(ada.bearer()) {
			t.Errorf("%s with a token and no Origin: refused, want allowed", surface.name)
		}
		if isAllowed("Cookie: burble=bad") != isAllowed() {
			t.Errorf("%s: an invalid cookie is not ignored", surface.name)
		}
		// If a proxy has removed Origin, Sec-Fetch-Site still identifies a foreign page.
		for _, site := range []string{"cross-site", "same-site"} {
			if isAllowed(ada.bearer(), "Sec-Fetch-Site: "+site) == surface.hasEffect {
				t.Errorf("%s with a token, Sec-Fetch-Site %s: allowed: %v, want %v", surface.name, site, surface.hasEffect, !surface.hasEffect)
			}
		}
		if !isAllowed(ada.bearer(), "Sec-Fetch-Site: none") || !isAllowed(ada.bearer(), "Sec-Fetch-Site: same-origin") {
			t.Errorf("%s with a token, from this site: refused, want allowed", surface.name)
		}
	}
}

func TestOriginWithoutTLSIsForeignToAServerWithTLS(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t), func(set *settings) { set.TrustedProxy = peer.ProxyFly })
	for _, surface := range surfaces {
		for origin, allowed := range map[string]bool{"https://" + s.host: true, "http://" + s.host: false} {
			status, _ := surface.request(s, s.signIn("Ada").bearer(), "X-Forwarded-Proto: https", "Origin: "+origin)
			if (status < 400) != allowed {
				t.Errorf("%s from %s: status %d, want allowed: %v", surface.name, origin, status, allowed)
			}
		}
	}
}

// By default, nginx replaces Host with the address of its upstream. Without an explanation, nobody would
// guess why every session and socket is refused.
func TestRefusalNamesAProxyThatChangesHost(t *testing.T) {
	t.Parallel()
	const page = "https://chat.example.org"
	for site, want := range map[string]struct {
		isCertain, isExplained bool
	}{
		"same-origin": {true, true}, "": {false, true}, "none": {false, true}, "cross-site": {}, "same-site": {},
	} {
		t.Run("Sec-Fetch-Site "+site, func(t *testing.T) {
			t.Parallel()
			s := startOne(t, withFiles(t))
			for range 3 {
				refused := s.postJSON("/session", `{"name":"Ada"}`, "Origin: "+page, "Sec-Fetch-Site: "+site)
				refused.expectRefusal(t, 403, protocol.NotAllowed, "origin")
				form := s.postForm("/session", "name=Ada", "Accept: text/html", "Origin: "+page, "Sec-Fetch-Site: "+site)
				for surface, text := range map[string]string{"JSON": refused.body, "page": form.body} {
					for _, part := range []string{"proxy_set_header Host $http_host", "ORIGINS=" + page} {
						if strings.Contains(text, part) != want.isExplained {
							t.Errorf("%s: mentions %s: %v, want %v\n%s", surface, part, !want.isExplained, want.isExplained, text)
						}
					}
				}
				if strings.Contains(form.body, "A proxy in front of this server changes the Host header") != want.isCertain {
					t.Errorf("the page is certain of the cause: %v, want %v", !want.isCertain, want.isCertain)
				}
			}
			lines := strings.Count(s.logs.String(), "a proxy changes Host")
			if (lines > 0) != want.isExplained || lines > 1 && want.isExplained {
				t.Errorf("the log has %d lines about the proxy, want one: %v\n%s", lines, want.isExplained, s.logs)
			}
		})
	}
}

// The script compares this host with the page's address: over plain HTTP, no header shows that a proxy
// changed it.
func TestPagesHaveTheHostThatTheServerSaw(t *testing.T) {
	t.Parallel()
	s := startOne(t, withFiles(t), func(set *settings) { set.Origins = []string{"https://a.example", "https://b.example"} })
	for _, path := range []string{"/", "/r/lobby"} {
		page := s.get(path).body
		for _, want := range []string{`data-host="` + s.host + `"`, `data-origins="https://a.example https://b.example"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not have %s", path, want)
			}
		}
	}
}
