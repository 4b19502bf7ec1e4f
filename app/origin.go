package main

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// originAllowed decides whether a page may open a socket or change something here. A
// browser sends cookies along with whatever any page asks for, and the same-origin
// rule does not cover WebSockets (RFC 6455, section 10.2), so the page's origin,
// which a script cannot forge, must be this host or one in allowed.
//
// origin and host are the request's headers; secure says that the browser is known
// to speak TLS, when a page loaded without it is somebody else's. Programs send no
// Origin: they are let in if they prove who they are with a bearer token, or claim
// nothing at all. allowed holds what canonicalOrigin returned.
func originAllowed(origin, host string, secure bool, allowed []string, hasCookie, hasBearer bool) bool {
	if origin == "" {
		return hasBearer || !hasCookie
	}
	page, ok := canonicalOrigin(origin)
	if !ok {
		return false // "null" too: a sandboxed frame or a file, which could be anyone's
	}
	if slices.Contains(allowed, page) {
		return true
	}
	scheme, _, _ := strings.Cut(page, "://")
	if secure && scheme != "https" {
		return false
	}
	// Host has no scheme, so the page's decides which port goes without saying.
	here, ok := canonicalOrigin(scheme + "://" + host)
	return ok && page == here
}

// canonicalOrigin returns an origin in the one way of writing it: lower case, without
// a default port. It is not ok if text is anything but scheme, host and perhaps a
// port: an origin with more than that in it was not written by a browser.
func canonicalOrigin(text string) (origin string, ok bool) {
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

// isHostname says whether a host is written as browsers write it: a name (in
// punycode, if it is not English), an IPv4 or an IPv6 address.
func isHostname(host string) bool {
	if _, isIP := parseAddress(host); isIP {
		return true
	}
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	})
}
