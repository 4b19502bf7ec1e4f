// Package peer identifies the sender of a request: its address, whether the browser uses TLS, and
// whether a page of its origin may act for a user. It derives all of this from headers. A client can
// forge most headers, so the package trusts only those that the configured proxy sets.
//
//	key := peer.LimitKey(peer.Address(header, remote, peer.ProxyFly))
//	ok := peer.IsOriginAllowed(origin, host, secure, origins, hasCookie, hasBearer)
//
// All functions are safe for concurrent use.
package peer
