// Package peer tells who is at the other end of a request: the address that limits are counted
// under, whether the browser speaks TLS, and whether a page's origin may act in a user's name.
// All of it is read from headers, most of which anyone can forge; which of them count depends on
// the one proxy that is trusted.
//
//	key := peer.Group(peer.Address(header, remote, peer.ProxyFly))
//	ok := peer.IsOriginAllowed(origin, host, secure, origins, hasCookie, hasBearer)
//
// All functions may be called from many goroutines at once.
package peer
