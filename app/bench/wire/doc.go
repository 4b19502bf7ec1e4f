// Package wire encodes and decodes the WebSocket handshakes, frames, room names and markers that the
// bench's clients and servers exchange.
//
// Every measured message contains a [Marker] with the message's sequence and number, and the time at
// which it was written. [ScanMarkers] finds markers in the bytes of a frame of any protocol, so a
// receiver parses nothing else and leaves the CPU to the server.
//
// The package does no I/O and keeps no state.
package wire
