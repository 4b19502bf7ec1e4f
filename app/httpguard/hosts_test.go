package httpguard

import (
	"slices"
	"testing"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	names, err := ParseHosts(" Chat.Example.org, *.example.net.,,other.example. ")
	if want := []string{"chat.example.org", ".example.net", "other.example"}; err != nil || !slices.Equal(names, want) {
		t.Fatalf("got %q, %v; want %q", names, err, want)
	}
	hosts := NewHosts(append(names, "origin.example:8443")...)
	for host, want := range map[string]bool{
		"chat.example.org": true, "CHAT.example.org:8080": true, "chat.example.org.": true, "a.example.net": true, "a.b.example.net": true,
		"other.example": true, "origin.example": true,
		"example.net": false, "xexample.net": false, "a.chat.example.org": false, "chat.example.org.evil.example": false, "evil.example": false,

		"127.0.0.1": true, "10.1.2.3:8080": true, "[::1]:8080": true, "[fd00::1]": true, "localhost": true, "a.localhost:1": true,
		"burble:8080": true, "burble_upstream": true, "nas.local": true, "app.process.internal": true, "pi.home.arpa": true,
		"burble.chat.svc.cluster.local": true,
		"1.2.3.4.evil.example":          false, "localhost.evil.example": false, "local.evil.example": false, "1.2.3": false, "evil.local.": true,
	} {
		if got := hosts.Allows(host); got != want {
			t.Errorf("Allows(%q) = %v, want %v", host, got, want)
		}
	}
	if all := NewHosts("*"); !all.Allows("evil.example") {
		t.Error("* does not allow all names")
	}
	for _, invalid := range []string{"https://chat.example.org", "chat.example.org:443", "chat.example.org/", "a b", "a.*.example", "**", "[::1]:80"} {
		if names, err := ParseHosts(invalid); err == nil {
			t.Errorf("ParseHosts(%q) = %q, want an error", invalid, names)
		}
	}
}

func TestPlatformHosts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		variable, value    string
		allowed, forbidden string
	}{
		{"FLY_APP_NAME", "My-Chat", "my-chat.fly.dev", "other.fly.dev"},
		{"FLY_APP_NAME", "my-chat", "my-chat.flycast", "evil.example"},
		{"DYNO", "web.1", "chat-0123456789ab.herokuapp.com", "herokuapp.com.evil.example"},
		{"HEROKU_APP_DEFAULT_DOMAIN_NAME", "chat-0123456789ab.herokuapp.com", "chat-0123456789ab.herokuapp.com", "other.herokuapp.com"},
		{"RENDER_EXTERNAL_HOSTNAME", "chat.onrender.com", "chat.onrender.com", "other.onrender.com"},
		{"RAILWAY_PUBLIC_DOMAIN", "chat.up.railway.app", "chat.up.railway.app", "evil.example"},
		{"K_SERVICE", "chat", "chat-0123456789-ew.a.run.app", "evil.example"},
		{"NONE", "", "localhost", "chat.fly.dev"},
	} {
		hosts := NewHosts(PlatformHosts(func(name string) string {
			if name == test.variable {
				return test.value
			}
			return ""
		})...)
		if !hosts.Allows(test.allowed) || hosts.Allows(test.forbidden) {
			t.Errorf("%s=%s: Allows(%q) = %v, want true; Allows(%q) = %v, want false", test.variable, test.value, test.allowed, hosts.Allows(test.allowed), test.forbidden, hosts.Allows(test.forbidden))
		}
	}
}

func TestDecodeUnreserved(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/r/lobb%79": "/r/lobby", "/%72/%4c%4F": "/r/LO", "/a%2Db%2E%5f%7e%30": "/a-b._~0",
		"/a%2Fb": "/a%2Fb", "/a%3Fb": "/a%3Fb", "/%2579": "/%2579", "/%C3%BC": "/%C3%BC", "/%00%20%25": "/%00%20%25",
		"/a?b=%79": "/a?b=%79", "/a#%79": "/a#%79", "/%": "/%", "/%7": "/%7", "/%zz": "/%zz", "/%+9": "/%+9", "/%79": "/y",
	} {
		if got := string(decodeUnreserved([]byte(target))); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}
