package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"burble/app/peer"
	"burble/app/protocol"
	"burble/views"
)

func TestConfiguredOriginsMayConnect(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.Origins = []string{"https://chat.example.org"} })
	ada := s.signIn("Ada")
	for origin, allowed := range map[string]bool{
		"https://chat.example.org": true, "http://" + s.host: true,
		"https://chat.example.org.evil.example": false, "http://chat.example.org": false,
	} {
		if c, _ := s.dial("Origin: "+origin, "Cookie: burble="+ada.Token); (c != nil) != allowed {
			t.Errorf("%s: socket accepted: %v, want %v", origin, c != nil, allowed)
		}
		posted := s.postJSON("/r/lobby/messages", `{"text":"hi"}`, "Origin: "+origin, ada.bearer())
		if (posted.status == 201) != allowed {
			t.Errorf("%s: post: status %d, want accepted: %v", origin, posted.status, allowed)
		}
	}
}

func TestEveryResponseHasTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	ada := s.signIn("Ada")
	stored := s.post(ada, "lobby", "hi")
	responses := map[string]http.Header{
		"home":           s.get("/").header,
		"room":           s.get("/r/lobby").header,
		"message":        s.get("/r/lobby/" + stored.ID).header,
		"static":         s.get(views.StaticPath() + "/logo.svg").header,
		"health":         s.get("/healthz").header,
		"readiness":      s.get("/readyz").header,
		"JSON":           s.get("/r/lobby/messages").header,
		"post":           s.postJSON("/r/lobby/messages", `{"text":"hi"}`, ada.bearer()).header,
		"form":           s.postForm("/r/lobby/messages", `text=hi`, ada.bearer()).header,
		"session":        s.postJSON("/session", `{"name":"Ada"}`).header,
		"events":         s.openStream("/r/lobby/events").Header,
		"upgrade":        s.open().Header,
		"redirect":       s.get("/open?room=lobby").header,
		"not found":      s.get("/nothing").header,
		"error page":     s.get("/nothing", "Accept: text/html").header,
		"refused":        s.get("/r/lobby/messages?limit=x").header,
		"foreign origin": s.get("/", "Origin: https://evil.example").header,
		"large body":     s.postJSON("/session", strings.Repeat("x", protocol.MaxFrame+1)).header,
		"large headers":  s.get("/", tooLongHeader).header,
	}
	headers := map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), microphone=(), geolocation=(), payment=()",
		"Strict-Transport-Security":    "", // the client is not known to use TLS
		"Access-Control-Allow-Origin":  "",
		"Server":                       "",
		"Access-Control-Allow-Headers": "",
	}
	directives := []string{
		"default-src 'self'", "script-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
		"form-action 'self'", "require-trusted-types-for 'script'", "trusted-types burble", "connect-src 'self' ws://" + s.host,
	}
	for name, header := range responses {
		for key, want := range headers {
			if got := header.Get(key); got != want {
				t.Errorf("%s: %s is %q, want %q", name, key, got, want)
			}
		}
		policy := header.Get("Content-Security-Policy")
		for _, directive := range directives {
			if name != "large headers" && !strings.Contains(policy, directive) { // the server refused it before reading its Host
				t.Errorf("%s: the policy lacks %q: %s", name, directive, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is unsafe: %s", name, policy)
		}
	}
}

func TestClientCannotChangeTheContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for _, host := range []string{"a; script-src *", "a,b", "x script-src"} {
		got := s.get("/", "Host: "+host)
		if policy := got.header.Get("Content-Security-Policy"); strings.Count(policy, "script-src") != 1 || strings.Contains(policy, "*") {
			t.Errorf("Host %q: the policy is %s, want one script-src and no *", host, policy)
		}
	}
	forged := s.get("/r/lobby", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https")
	if strings.Contains(forged.body, "evil.example") || strings.Contains(fmt.Sprint(forged.header), "evil.example") || forged.header.Get("Strict-Transport-Security") != "" {
		t.Error("the server uses X-Forwarded headers without a trusted proxy")
	}
}

func TestTrustedProxyReportsTLS(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) {
		set.TrustedProxy, set.Hosts = peer.ProxyHeroku, []string{"chat.example.org"}
	})
	got := s.get("/r/lobby", "X-Forwarded-Proto: https", "Host: chat.example.org")
	if got.header.Get("Strict-Transport-Security") == "" || !strings.Contains(got.header.Get("Content-Security-Policy"), "wss://chat.example.org") {
		t.Errorf("headers: %v, want HSTS and a policy for wss", got.header)
	}
	if !strings.Contains(got.body, "https://chat.example.org/r/lobby/events") {
		t.Error("the page does not show the URL that the browser uses")
	}
}

func TestPanicReturns500AndIsLogged(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	broken := s.startWithoutStore()
	for _, path := range []string{"/", "/r/lobby", "/r/lobby/messages", "/readyz"} {
		got := broken.get(path)
		if want := `{"error":{"code":"unavailable","message":"Something went wrong on our side."}}`; got.status != 500 || got.body != want {
			t.Errorf("%s: status %d, body %s; want 500 and %s", path, got.status, got.body, want)
		}
		page := broken.get(path, "Accept: text/html")
		if page.status != 500 || !strings.Contains(page.body, "<title>Something went wrong on our side · Burble</title>") || strings.Contains(page.body, "nil pointer") {
			t.Errorf("%s as a page: status %d, want 500 without the cause: %s", path, page.status, page.body)
		}
	}
	if got := broken.get("/healthz"); got.status != 200 {
		t.Errorf("healthz: status %d, want 200", got.status)
	}
	if log := s.logs.String(); !strings.Contains(log, "nil pointer") || !strings.Contains(log, "stack=") {
		t.Errorf("the log lacks the cause or the stack: %s", log)
	}
}
