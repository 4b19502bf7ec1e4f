package peer

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// IsOriginAllowed reports whether a page of the origin may open a socket or change something
// here. A browser sends cookies along with whatever any page requests, and the same-origin
// policy does not cover WebSockets (RFC 6455, section 10.2), so the page's origin, which a
// script cannot forge, must be this host or one of allowed.
//
// origin and host are the request's headers. secure reports that the browser is known to speak
// TLS: then a page loaded without TLS is another site's. Programs send no Origin: they may
// connect with a bearer token, or with no credentials at all. allowed holds what
// CanonicalOrigin returned.
func IsOriginAllowed(origin, host string, secure bool, allowed []string, hasCookie, hasBearer bool) bool {
	if origin == "" {
		return hasBearer || !hasCookie
	}
	page, ok := CanonicalOrigin(origin)
	if !ok {
		return false // also "null": a sandboxed frame or a file, which could be anyone's
	}
	if slices.Contains(allowed, page) {
		return true
	}
	scheme, _, _ := strings.Cut(page, "://")
	if secure && scheme != "https" {
		return false
	}
	// Host has no scheme, so the page's decides which port is the default.
	here, ok := CanonicalOrigin(scheme + "://" + host)
	return ok && page == here
}

// CanonicalOrigin returns an origin in its canonical form: lower case, without a default port.
// It is not ok if text has anything but a scheme, a host and perhaps a port: no browser sends
// such an origin.
func CanonicalOrigin(text string) (origin string, ok bool) {
	u, err := url.Parse(text)
	if err != nil || strings.ContainsAny(text, "@?#\\%") || u.Path != "" || !isHostname(u.Hostname()) {
		return "", false
	}
	scheme, host, port := u.Scheme, strings.ToLower(u.Hostname()), u.Port()
	if scheme != "http" && scheme != "https" || port == "" && strings.HasSuffix(u.Host, ":") {
		return "", false
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		return scheme + "://" + host, true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", false
	}
	return scheme + "://" + host + ":" + strconv.FormatUint(n, 10), true
}

// isHostname reports whether a host is written as browsers write it: a name (in punycode, if it
// has other than ASCII letters), an IPv4 or an IPv6 address.
func isHostname(host string) bool {
	if _, isIP := parseAddress(host); isIP {
		return true
	}
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	})
}
