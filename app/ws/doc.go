// Package ws implements the server side of WebSocket (RFC 6455) over a net.Conn. It encodes frames
// and reads a client's messages. It keeps one buffer of 512 bytes per connection and starts no
// goroutines.
//
//	reader := ws.NewReader(conn, 64<<10)
//	reader.Control = func(opcode byte, payload []byte) {
//		if opcode == ws.OpPing {
//			conn.Write(ws.Frame(ws.OpPong, payload))
//		}
//	}
//	message, whole, err := reader.Next()
//
// Package github.com/gobwas/ws parses the frame headers. Its wsutil.Reader is not enough. It limits
// the size of a frame, but not of a message in many frames. It also does not report frames that
// complete no message, so the server could not limit a flood of them.
//
// Only one goroutine at a time may use a Reader. Frames are plain byte slices.
package ws
