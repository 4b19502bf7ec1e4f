package fetch

import "net/netip"

// special lists the networks that are not on the public internet, or whose addresses translate to others, from the IANA
// registries of special-purpose addresses. IPv6 outside 2000::/3 is never public.
var special = parse(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // carrier-grade NAT
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // Azure's metadata service
	"169.254.0.0/16",   // link-local, with most metadata services
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments
	"192.0.2.0/24",     // documentation
	"192.31.196.0/24",  // AS112
	"192.52.193.0/24",  // AMT
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"192.175.48.0/24",  // AS112
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/3",      // multicast, reserved and broadcast

	"2001::/23",         // protocol assignments, with Teredo and ORCHID
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4
	"2620:4f:8000::/48", // AS112
	"3fff::/20",         // documentation
)

// global is the only IPv6 space from which public addresses are assigned.
var global = netip.MustParsePrefix("2000::/3")

func parse(networks ...string) []netip.Prefix {
	prefixes := make([]netip.Prefix, len(networks))
	for i, network := range networks {
		prefixes[i] = netip.MustParsePrefix(network)
	}
	return prefixes
}

// IsPublic reports whether the address is on the public internet.
func IsPublic(address netip.Addr) bool {
	if address.Zone() != "" {
		return false
	}
	address = address.Unmap()
	if address.Is6() && (!global.Contains(address) || isISATAP(address)) {
		return false
	}
	for _, network := range special {
		if network.Contains(address) {
			return false
		}
	}
	return address.IsGlobalUnicast()
}

// isISATAP reports whether the address contains an IPv4 address to which a router may forward its packets (RFC 5214).
func isISATAP(address netip.Addr) bool {
	bytes := address.As16()
	return bytes[8]&^0x03 == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe
}
