// Package web serves HTTP: pages, JSON, forms, probes and metrics. A connection that becomes a
// live read (a WebSocket, /events, a search) leaves HTTP for package live.
//
//	server := web.New(web.Options{Log: log, Chat: service, Live: engine, Tokens: tokens})
//	err := server.Serve(ctx, listener) // until ctx ends; then it drains
//
// routes sets up the path of a request. Each handler checks its fields with package protocol, calls
// the chat service for the user who asks, and returns an error that respondError alone turns into
// a response. Handlers run in many goroutines at once and share nothing but the Server.
package web
