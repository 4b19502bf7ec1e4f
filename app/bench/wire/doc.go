// Package wire encodes and decodes what clients and servers of the bench exchange: WebSocket
// handshakes and frames, the names of rooms, and markers.
//
// Every measured message contains a [Marker] with the message's sequence and number, and the time at
// which it was written. [ScanMarkers] finds markers in the bytes of a frame of any protocol, so a
// receiver parses nothing else and leaves the CPU to the server.
//
// The package does no I/O and keeps no state.
package wire
