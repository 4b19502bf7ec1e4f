// Package peer examines the other end of a request: the address by which its limits are counted,
// whether the browser uses TLS, and whether a page of its origin may act for a user. All of this
// is read from headers, most of which anyone can forge. Which of them count depends on the one
// proxy that is trusted.
//
//	key := peer.LimitKey(peer.Address(header, remote, peer.ProxyFly))
//	ok := peer.IsOriginAllowed(origin, host, secure, origins, hasCookie, hasBearer)
//
// All functions may be called from many goroutines at once.
package peer
