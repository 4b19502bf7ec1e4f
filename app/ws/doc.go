// Package ws is the server side of WebSocket, RFC 6455, over a net.Conn: it makes frames and
// reads a client's messages. It keeps one buffer of 512 bytes for a connection and has no
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
// The headers of frames are parsed by github.com/gobwas/ws. Its wsutil.Reader is not used: it
// bounds a frame, not the message that many frames make, and does not report the frames that
// yield no message, which a flood consists of.
//
// A Reader belongs to one goroutine. Frames are plain byte slices.
package ws
