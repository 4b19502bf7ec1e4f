// Package wire has the bytes that the bench and the servers it measures exchange: WebSocket
// handshakes and frames, the names of rooms, and markers.
//
// Every measured message contains a [Marker], which has its sequence, its number and the time
// of its write. [ScanMarkers] finds markers in the bytes of a frame, whatever the protocol of
// the server is, so a receiver parses nothing else and leaves the CPU to the server.
//
// The package does no I/O and keeps no state.
package wire
