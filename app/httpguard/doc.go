// Package httpguard refuses requests that fasthttp would accept but RFC 9112 forbids. It examines a
// request's header before the body is read and before the request is routed:
//
//	server.HeaderReceived = httpguard.HeaderReceived
//	server.Handler = func(ctx *fasthttp.RequestCtx) {
//		if refusal := httpguard.Check(&ctx.Request.Header); refusal != nil {
//			ctx.Error(refusal.Message, refusal.Status)
//			ctx.SetConnectionClose()
//		}
//	}
//	server.Serve(httpguard.Listener(listener))
//
// The handler of a request whose body may be large can read it from the connection: see LeaveBodyUnread.
//
// Hosts is the list of host names that the server accepts. Check does not use it.
//
// All functions are safe for concurrent use.
package httpguard
