// Package web serves HTTP: pages, JSON, forms, probes and metrics. A connection that becomes a live
// read (a WebSocket, /events, a search) leaves HTTP for package live.
//
//	server := web.New(web.Options{Log: log, Chat: service, Live: engine, Tokens: tokens})
//	err := server.Serve(ctx, listener) // until ctx ends; then it drains
//
// routes registers the middleware and the handlers. A handler checks its fields with package
// protocol and calls the chat service for the caller's user. It returns its error, and only
// respondError turns errors into responses. Handlers run in many goroutines at once and share
// nothing but the Server.
package web
