package peer

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// IsOriginAllowed reports whether a page of the given origin may open a WebSocket or send a request
// that changes something. Browsers send cookies with requests from any page, and the same-origin
// policy does not cover WebSockets (RFC 6455, section 10.2). The page's origin, which a script cannot
// forge, must therefore be this host or an element of allowed. The elements of allowed must be results
// of CanonicalOrigin.
//
// origin and host are the Origin and Host headers of the request. secure reports whether the browser is known to use TLS.
// If it is, a page loaded without TLS is not allowed. Programs other than browsers send no Origin. They
// may connect with a bearer token or without credentials.
func IsOriginAllowed(origin, host string, secure bool, allowed []string, hasCookie, hasBearer bool) bool {
	if origin == "" {
		return hasBearer || !hasCookie
	}
	page, ok := CanonicalOrigin(origin)
	if !ok {
		return false // for example "null", the origin of a sandboxed frame or a local file
	}
	if slices.Contains(allowed, page) {
		return true
	}
	scheme, _, _ := strings.Cut(page, "://")
	if secure && scheme != "https" {
		return false
	}
	// The Host header has no scheme, so its default port depends on the scheme of the page.
	own, ok := CanonicalOrigin(scheme + "://" + host)
	return ok && page == own
}

// CanonicalOrigin returns an origin in canonical form: lower case, without a default port. It returns
// false unless text consists of a scheme, a host and optionally a port. Browsers send origins only in
// this form.
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

// isHostname reports whether host is an IP address or a name as browsers send it. Browsers send names
// with non-ASCII letters in punycode.
func isHostname(host string) bool {
	if _, isIP := parseAddress(host); isIP {
		return true
	}
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	})
}
