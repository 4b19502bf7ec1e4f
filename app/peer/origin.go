package peer

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// IsOriginAllowed reports whether a page of the origin may open a socket or change something here.
// Browsers send cookies with every page's requests, and the same-origin policy does not cover
// WebSockets (RFC 6455, section 10.2). So the page's origin, which a script cannot forge, must be
// this host or one of allowed, which lists results of CanonicalOrigin.
//
// origin and host are the request's headers. secure means that the browser is known to use TLS:
// then a page loaded without TLS is foreign. Programs send no Origin; they may connect with a
// bearer token, or without any credentials.
func IsOriginAllowed(origin, host string, secure bool, allowed []string, hasCookie, hasBearer bool) bool {
	if origin == "" {
		return hasBearer || !hasCookie
	}
	page, ok := CanonicalOrigin(origin)
	if !ok {
		return false // such as "null", the origin of a sandboxed frame or a file
	}
	if slices.Contains(allowed, page) {
		return true
	}
	scheme, _, _ := strings.Cut(page, "://")
	if secure && scheme != "https" {
		return false
	}
	// Host has no scheme, so the default port is that of the page's scheme.
	here, ok := CanonicalOrigin(scheme + "://" + host)
	return ok && page == here
}

// CanonicalOrigin returns an origin in its canonical form: lower case, without a default port. It
// reports false unless text has a scheme, a host, perhaps a port, and nothing else: browsers send
// no other origins.
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

// isHostname reports whether host is an IP address, or a name as browsers send it: in punycode, if it
// has other than ASCII letters.
func isHostname(host string) bool {
	if _, isIP := parseAddress(host); isIP {
		return true
	}
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	})
}
