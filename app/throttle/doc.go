// Package throttle limits what clients cost, for each address and for all addresses together.
//
//	limits := throttle.New(20, 2) // requests and new connections per second and address
//	listener = limits.Listener(listener, peer.ProxyNone, log)
//	if err := limits.AllowRequest(address); err != nil {
//		return err // a *protocol.Error with the time to wait
//	}
//
// A [Limits] counts requests. Expensive work counts as several requests, depending on the entries that Redis
// reads, the rooms in a list, and the time to render messages as HTML. An address that has used up its
// requests is refused until its rate allows more. Memory is reserved before it is used. Responses count
// until the client has read them, and connections until they are closed.
//
// A Limits is safe for concurrent use.
package throttle
