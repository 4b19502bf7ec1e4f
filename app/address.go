package main

import (
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// The values of TRUSTED_PROXY. A proxy must be named because its headers are worth
// nothing when anyone can send them.
const (
	proxyNone   = "none"
	proxyFly    = "fly"
	proxyHeroku = "heroku"
)

// clientAddress returns the IP address a request comes from: what the trusted proxy
// says, else the other end of the socket. A proxy's header that holds no address is
// not believed.
//
// header is lastHeader: on Heroku, the last entry of the last X-Forwarded-For is what
// the router wrote, everything before it may have been made up by the client. remote
// is the socket's other end, with or without a port.
func clientAddress(header func(string) string, remote, proxy string) string {
	said := ""
	switch proxy {
	case proxyFly:
		said = header("Fly-Client-IP")
	case proxyHeroku:
		list := header("X-Forwarded-For")
		said = list[strings.LastIndex(list, ",")+1:]
	}
	if ip, ok := parseAddress(said); ok {
		return ip.String()
	}
	if ip, ok := parseAddress(remote); ok {
		return ip.String()
	}
	return remote // a Unix socket, or a test's pipe
}

// lastHeader reads a request's headers. Of a repeated one it returns the last, where
// c.Get returns the first.
func lastHeader(c *fiber.Ctx) func(name string) string {
	return func(name string) string {
		all := c.Request().Header.PeekAll(name)
		if len(all) == 0 {
			return ""
		}
		return string(all[len(all)-1])
	}
}

// addressGroup returns what a client's limits are counted under. An IPv6 address
// stands for its /64, since that is the least a single subscriber is given
// (RFC 6177) and all of it is theirs to walk through.
func addressGroup(address string) string {
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

// behindTLS says whether the browser speaks TLS, which only a trusted proxy can
// know: Burble itself listens in plain text.
func behindTLS(header func(string) string, proxy string) bool {
	return proxy != proxyNone && proxy != "" && header("X-Forwarded-Proto") == "https"
}

// parseAddress reads an IP address, with or without a port. The same address always
// comes out the same: IPv4 inside IPv6 as IPv4, and without a zone.
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
