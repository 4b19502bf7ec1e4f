package peer

import "testing"

// headers returns a header function for alternating names and values.
func headers(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	forged := []string{"X-Forwarded-For", "6.6.6.6, 1.2.3.4", "Fly-Client-IP", "7.7.7.7"}
	tests := []struct {
		name, proxy, remote, want string
		headers                   []string
	}{
		{"no proxy", ProxyNone, "9.9.9.9:1234", "9.9.9.9", forged},
		{"empty setting", "", "9.9.9.9:1234", "9.9.9.9", forged},
		{"fly", ProxyFly, "172.16.0.1:1", "7.7.7.7", forged},
		{"heroku: the last entry", ProxyHeroku, "10.0.0.1:1", "1.2.3.4", forged},
		{"heroku: the only entry", ProxyHeroku, "10.0.0.1:1", "1.2.3.4", []string{"X-Forwarded-For", "1.2.3.4"}},
		{"heroku: last entry invalid", ProxyHeroku, "10.0.0.1:1", "10.0.0.1", []string{"X-Forwarded-For", "1.2.3.4, evil"}},
		{"heroku: last entry empty", ProxyHeroku, "10.0.0.1:1", "10.0.0.1", []string{"X-Forwarded-For", "1.2.3.4,"}},
		{"forwarded: the last entry", ProxyForwarded, "127.0.0.1:1", "1.2.3.4", forged},
		{"forwarded: no header", ProxyForwarded, "127.0.0.1:1", "127.0.0.1", nil},
		{"forwarded: IPv6", ProxyForwarded, "127.0.0.1:1", "2001:db8::1", []string{"X-Forwarded-For", "2001:db8::1"}},
		{"fly: no header", ProxyFly, "[fdaa::3]:80", "fdaa::3", nil},
		{"fly: IPv6", ProxyFly, "172.16.0.1:1", "2001:db8::1", []string{"Fly-Client-IP", "2001:DB8:0::1"}},
		{"IPv4 mapped to IPv6", ProxyNone, "[::ffff:1.2.3.4]:80", "1.2.3.4", nil},
		{"zone is dropped", ProxyNone, "[fe80::1%eth0]:80", "fe80::1", nil},
		{"without a port", ProxyNone, "1.2.3.4", "1.2.3.4", nil},
		{"not an address", ProxyNone, "@", "@", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Address(headers(test.headers...), test.remote, test.proxy); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestLimitKey(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"1.2.3.4":                 "1.2.3.4",
		"2001:db8:1:2:3:4:5:6":    "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::ffff": "2001:db8:1:2::/64",
		"@":                       "@",
	} {
		if got := LimitKey(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func TestIsTLS(t *testing.T) {
	t.Parallel()
	https := headers("X-Forwarded-Proto", "https")
	for proxy, want := range map[string]bool{ProxyNone: false, "": false, ProxyFly: true, ProxyHeroku: true, ProxyForwarded: true} {
		if got := IsTLS(https, proxy); got != want {
			t.Errorf("IsTLS behind %q = %v, want %v", proxy, got, want)
		}
	}
	for reported, want := range map[string]bool{"http": false, "": false, "https, http": false, "http, https": true} {
		if got := IsTLS(headers("X-Forwarded-Proto", reported), ProxyForwarded); got != want {
			t.Errorf("IsTLS with X-Forwarded-Proto %q = %v, want %v", reported, got, want)
		}
	}
}
