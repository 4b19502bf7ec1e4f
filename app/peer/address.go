package peer

import (
	"net/netip"
	"strings"
)

// The values of TRUSTED_PROXY. Only a named proxy's headers are trusted, because anyone
// can send them.
const (
	ProxyNone      = "none"
	ProxyFly       = "fly"
	ProxyHeroku    = "heroku"
	ProxyForwarded = "forwarded" // one proxy that appends to X-Forwarded-For, such as nginx or Caddy
)

// Address returns the IP address that a request comes from: what the trusted proxy reports, or else
// the remote end of the connection. A proxy's header without a valid address is ignored.
//
// header must return the last of a repeated header: only the last entry of the last
// X-Forwarded-For is written by the proxy, and the client can forge everything before it. remote
// is the address of the remote end, with or without a port.
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
	return remote // a Unix socket, or a test's pipe
}

// Group returns the key by which a client's limits are counted. An IPv6 address counts as its /64,
// because one subscriber has at least that many addresses (RFC 6177).
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

// IsTLS reports whether the browser is known to use TLS. Only a trusted proxy knows, because Burble
// itself accepts plain text.
func IsTLS(header func(string) string, proxy string) bool {
	return proxy != ProxyNone && proxy != "" && lastEntry(header("X-Forwarded-Proto")) == "https"
}

// lastEntry returns the last entry of a list separated by commas.
func lastEntry(list string) string { return strings.TrimSpace(list[strings.LastIndex(list, ",")+1:]) }

// parseAddress parses an IP address, with or without a port. It returns an IPv4 address that is mapped
// to IPv6 as IPv4, and drops the zone.
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
