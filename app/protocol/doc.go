// Package protocol is burble.v1: the frames that clients send, the checks of every field, the JSON
// that servers send, and the errors. It does no I/O. PROTOCOL.md describes the protocol for the
// authors of clients; its examples are tests of this package.
//
//	frame, err := protocol.Parse(data)
//	if err != nil {
//		reply(protocol.EncodeError(protocol.AsError(err), frame.Room, frame.Key))
//	}
//
// Every surface (WebSocket, server-sent events, NDJSON, JSON, HTML) uses the same checks, encoders
// and error codes. All functions may be called from many goroutines at once.
package protocol
