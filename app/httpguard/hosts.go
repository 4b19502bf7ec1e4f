package httpguard

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Hosts is the list of host names that a server accepts. It must refuse all others, because an attacker can
// make a name of their own resolve to an address in the user's private network (DNS rebinding).
type Hosts struct {
	names []string // lower case; "*" means all names, and a leading dot means all names below one
}

// NewHosts returns Hosts that allow the names in addition to those that Allows always accepts. The names
// come from ParseHosts, PlatformHosts or a Host header.
func NewHosts(names ...string) Hosts {
	var hosts Hosts
	for _, name := range names {
		hosts.names = append(hosts.names, Name(name))
	}
	return hosts
}

// ParseHosts parses a list of names separated by commas. "*" stands for all names, and "*.example.org"
// for all names below example.org, for which it returns ".example.org".
func ParseHosts(list string) (names []string, err error) {
	for item := range strings.SplitSeq(list, ",") {
		switch item = strings.ToLower(strings.TrimSpace(item)); {
		case item == "":
		case item == "*":
			names = append(names, item)
		case !isHost([]byte(strings.TrimPrefix(item, "*."))) || Name(item) != strings.TrimSuffix(item, "."):
			return nil, fmt.Errorf("%q is not a host name", item)
		default:
			names = append(names, strings.TrimPrefix(Name(item), "*"))
		}
	}
	return names, nil
}

// Allows reports whether a request with this Host header may be meant for the server. It also accepts
// hosts that DNS rebinding cannot use: IP addresses, localhost, and names outside the public DNS.
func (h Hosts) Allows(host string) bool {
	name := Name(host)
	return IsPrivate(host) || slices.ContainsFunc(h.names, func(allowed string) bool {
		return name == allowed || allowed == "*" || strings.HasPrefix(allowed, ".") && strings.HasSuffix(name, allowed)
	})
}

// IsPrivate reports whether a Host header is an IP address, or a name that is not in the public DNS and
// for which no certificate authority issues certificates.
func IsPrivate(host string) bool {
	name := Name(host)
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	if !strings.Contains(name, ".") {
		return true // localhost, or the name of a machine or container
	}
	// RFC 6761, RFC 6762, RFC 8375, and ICANN's resolution 2024.07.29.06.
	return slices.ContainsFunc([]string{".localhost", ".local", ".home.arpa", ".internal"}, func(domain string) bool {
		return strings.HasSuffix(name, domain)
	})
}

// Name returns the name in a Host header, in lower case, without the port and a trailing dot.
func Name(host string) string {
	name, _ := splitPort(strings.ToLower(host))
	return strings.TrimSuffix(name, ".")
}

// platforms maps the environment variables that hosting platforms set to the host names that they give to
// a server. %s stands for the value.
var platforms = []struct{ variable, name string }{
	{"FLY_APP_NAME", "%s.fly.dev"},
	{"FLY_APP_NAME", "%s.flycast"},
	{"HEROKU_APP_DEFAULT_DOMAIN_NAME", "%s"}, // only with the feature runtime-dyno-metadata
	{"DYNO", ".herokuapp.com"},               // Heroku controls these names
	{"RENDER_EXTERNAL_HOSTNAME", "%s"},
	{"RAILWAY_PUBLIC_DOMAIN", "%s"},
	{"KOYEB_PUBLIC_DOMAIN", "%s"},
	{"WEBSITE_HOSTNAME", "%s"},
	{"K_SERVICE", ".run.app"}, // Google controls these names
}

// PlatformHosts returns the names that the hosting platform has given to this server.
func PlatformHosts(getenv func(string) string) (names []string) {
	for _, p := range platforms {
		if value := strings.ToLower(getenv(p.variable)); value != "" {
			names = append(names, strings.ReplaceAll(p.name, "%s", value))
		}
	}
	return names
}
