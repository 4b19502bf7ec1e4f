package peer

import (
	"strings"
	"testing"
)

func TestIsOriginAllowed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, origin, host string
		secure             bool
		allowed            string
		cookie, bearer     bool
		want               bool
	}{
		{name: "same host", origin: "http://localhost:8080", host: "localhost:8080", cookie: true, want: true},
		{name: "same host, TLS ends at a proxy that is not trusted", origin: "https://chat.example.org", host: "chat.example.org", cookie: true, want: true},
		{name: "same host, https", origin: "https://chat.example.org", host: "chat.example.org", secure: true, cookie: true, want: true},
		{name: "same host, explicit default port", origin: "https://chat.example.org", host: "chat.example.org:443", want: true},
		{name: "same host, default port of http", origin: "http://chat.example.org:80", host: "chat.example.org", want: true},
		{name: "same host, upper case", origin: "https://Chat.Example.ORG", host: "chat.example.org", want: true},
		{name: "same host, IPv6", origin: "http://[::1]:8080", host: "[::1]:8080", want: true},
		{name: "page without TLS, WebSocket with TLS", origin: "http://chat.example.org", host: "chat.example.org", secure: true},
		{name: "other port", origin: "http://localhost:8081", host: "localhost:8080", cookie: true},
		{name: "port of the other scheme", origin: "http://chat.example.org", host: "chat.example.org:443"},
		{name: "other host", origin: "https://evil.example", host: "chat.example.org", cookie: true},
		{name: "other host, with a token", origin: "https://evil.example", host: "chat.example.org", bearer: true},
		{name: "suffix after the port", origin: "http://localhost:8080.evil.com", host: "localhost:8080"},
		{name: "prefix", origin: "http://evil-localhost:8080", host: "localhost:8080"},
		{name: "subdomain", origin: "https://evil.chat.example.org", host: "chat.example.org"},
		{name: "this host as a subdomain", origin: "https://chat.example.org.evil.com", host: "chat.example.org"},
		{name: "trailing dot", origin: "https://chat.example.org.", host: "chat.example.org"},
		{name: "this host as a user name", origin: "http://localhost:8080@evil.com", host: "localhost:8080"},
		{name: "with a user name", origin: "http://evil@localhost:8080", host: "localhost:8080"},
		{name: "null", origin: "null", host: "localhost:8080", bearer: true},
		{name: "with a path", origin: "http://localhost:8080/", host: "localhost:8080"},
		{name: "with a query", origin: "http://localhost:8080?", host: "localhost:8080"},
		{name: "with a fragment", origin: "http://localhost:8080#", host: "localhost:8080"},
		{name: "without a scheme", origin: "//localhost:8080", host: "localhost:8080"},
		{name: "other scheme", origin: "ws://localhost:8080", host: "localhost:8080"},
		{name: "file", origin: "file://", host: ""},
		{name: "only a scheme", origin: "http://", host: ""},
		{name: "no Host header", origin: "http://localhost", host: ""},
		{name: "two origins", origin: "http://localhost:8080 http://evil.com", host: "localhost:8080"},
		{name: "allowed origin", origin: "https://other.example", host: "chat.example.org", allowed: "https://other.example", cookie: true, want: true},
		{name: "allowed origin, explicit port", origin: "https://other.example:443", host: "chat.example.org", allowed: "https://other.example", want: true},
		{name: "allowed origin, other scheme", origin: "http://other.example", host: "chat.example.org", allowed: "https://other.example"},
		{name: "missing, without credentials", host: "localhost:8080", want: true},
		{name: "missing, with a token", host: "localhost:8080", cookie: true, bearer: true, want: true},
		{name: "missing, with a cookie", host: "localhost:8080", cookie: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := IsOriginAllowed(test.origin, test.host, test.secure, strings.Fields(test.allowed), test.cookie, test.bearer)
			if got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// FuzzIsOriginAllowed checks that every allowed origin equals the host, except for case and for how the
// port is written.
func FuzzIsOriginAllowed(f *testing.F) {
	for _, seed := range []string{"http://localhost:8080", "http://localhost:8080.evil.com", "null", "https://a:443", "http://[::1]:80"} {
		f.Add(seed, "localhost:8080")
	}
	f.Fuzz(func(t *testing.T, origin, host string) {
		if origin == "" || !IsOriginAllowed(origin, host, false, nil, true, false) {
			return
		}
		scheme, rest, _ := strings.Cut(strings.ToLower(origin), "://")
		port := map[string]string{"http": ":80", "https": ":443"}[scheme]
		bare := func(s string) string {
			colon := strings.LastIndex(s, ":")
			if colon < 0 || strings.HasSuffix(s, "]") {
				return s
			}
			return s[:colon] + ":" + strings.TrimLeft(s[colon+1:], "0")
		}
		same := strings.TrimSuffix(bare(rest), port) == strings.TrimSuffix(bare(strings.ToLower(host)), port)
		if port == "" || !same {
			t.Errorf("origin %q is allowed on host %q, want only the host itself", origin, host)
		}
	})
}
