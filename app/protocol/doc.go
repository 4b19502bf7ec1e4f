// Package protocol implements the wire format of burble.v1. It parses the frames of clients,
// validates every field, encodes the JSON that servers send, and defines the errors. It does no I/O.
// PROTOCOL.md describes the protocol for client authors, and this package's tests check its examples.
//
//	frame, err := protocol.Parse(data)
//	if err != nil {
//		reply(protocol.EncodeError(protocol.AsError(err), frame.Room, frame.Key))
//	}
//
// All interfaces (WebSocket, server-sent events, NDJSON, JSON, HTML) share these checks, encoders and
// error codes. All functions are safe for concurrent use.
package protocol
