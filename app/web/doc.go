// Package web serves HTTP: pages, JSON, forms, probes and metrics. It passes connections that become
// live reads (WebSockets, /events, searches) to package live.
//
//	server := web.New(web.Options{Log: log, Chat: service, Live: engine, Callers: callers, Accounts: accounts})
//	err := server.Serve(ctx, listener) // until ctx ends; then it drains
//
// Method routes registers the middleware and the handlers. A handler parses the request with package
// request, checks its fields with package protocol, and calls the chat service for the caller's user.
// Handlers return errors, and only respondError turns them into responses. Handlers run concurrently and
// share only the Server.
package web
