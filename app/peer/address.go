package peer

import (
	"net/netip"
	"strings"
)

// The values of TRUSTED_PROXY. Burble trusts only the headers of the configured proxy, because a
// client can send any header.
const (
	ProxyNone      = "none"
	ProxyFly       = "fly"
	ProxyHeroku    = "heroku"
	ProxyForwarded = "forwarded" // one proxy that appends to X-Forwarded-For, such as nginx or Caddy
)

// Address returns the IP address of the client that sent a request: the address that the trusted proxy
// reports, or else remote. It ignores a header that does not contain a valid address.
//
// header must return the last value of a repeated header. The proxy writes only the last entry of the
// last X-Forwarded-For, and the client can forge everything before it. remote is the address of the
// other end of the connection, with or without a port.
func Address(header func(string) string, remote, proxy string) string {
	reported := ""
	switch proxy {
	case ProxyFly:
		reported = header("Fly-Client-IP")
	case ProxyHeroku, ProxyForwarded:
		reported = lastEntry(header("X-Forwarded-For"))
	}
	if ip, ok := parseAddress(reported); ok {
		return ip.String()
	}
	if ip, ok := parseAddress(remote); ok {
		return ip.String()
	}
	return remote // a Unix socket, or a pipe in a test
}

// LimitKey returns the key for a client's rate limits and quotas. For IPv6 it is the /64 of the
// address, because every subscriber has at least that many addresses (RFC 6177).
func LimitKey(address string) string {
	ip, ok := parseAddress(address)
	if !ok || ip.Is4() {
		return address
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

// IsTLS reports whether the browser uses TLS, according to a trusted proxy. Burble itself accepts only
// plain HTTP.
func IsTLS(header func(string) string, proxy string) bool {
	scheme := reportedScheme(header, proxy)
	return scheme == "https" || scheme == "wss" // Traefik reports wss for a WebSocket
}

// IsPlain reports whether the browser does not use TLS, according to a trusted proxy.
func IsPlain(header func(string) string, proxy string) bool {
	return reportedScheme(header, proxy) == "http"
}

// reportedScheme returns the scheme that a trusted proxy reports, or "" if there is none.
func reportedScheme(header func(string) string, proxy string) string {
	if proxy == ProxyNone || proxy == "" {
		return ""
	}
	return strings.ToLower(lastEntry(header("X-Forwarded-Proto")))
}

// lastEntry returns the last entry of a list separated by commas.
func lastEntry(list string) string { return strings.TrimSpace(list[strings.LastIndex(list, ",")+1:]) }

// parseAddress parses an IP address, with or without a port. It converts an IPv4-mapped IPv6 address to
// IPv4, and drops the zone.
func parseAddress(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	ip, err := netip.ParseAddr(text)
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = withPort.Addr()
	}
	return ip.Unmap().WithZone(""), true
}
