// Package httpguard refuses requests that fasthttp would accept although RFC 9112 or the names of the
// server forbid them. It examines a request's header before the body is read and before it is routed:
//
//	server.HeaderReceived = httpguard.HeaderReceived
//	server.Handler = func(ctx *fasthttp.RequestCtx) {
//		if refusal := httpguard.Check(&ctx.Request.Header); refusal != nil { … }
//	}
//	server.Serve(httpguard.Listener(listener))
//
// Hosts lists the names under which a server may be addressed. All functions are safe for concurrent use.
package httpguard
