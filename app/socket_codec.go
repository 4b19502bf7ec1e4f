package main

import (
	"slices"

	"burble/streams"
)

// pong answers a client's ping frame. A script in a browser cannot see the
// WebSocket's own.
var pong = webSocketFrame(opText, []byte(`{"type":"pong"}`))

// socketCodec says things in WebSocket frames.
type socketCodec struct{}

// The forms of a batch that connections share, see streams.Batch.Encoded.
const (
	formSocket = iota
	formSocketHTML
	formEvents
	formLines
	formText
)

func (socketCodec) followed(room string, followed *streams.Followed) []byte {
	return webSocketFrame(opText, followedJSON(room, followed))
}

func (socketCodec) batch(batch *streams.Batch, html bool) []byte {
	form := formSocket
	if html {
		form = formSocketHTML
	}
	return batch.Encoded(form, func(batch *streams.Batch) []byte {
		return webSocketFrame(opText, entriesJSON(batch, html))
	})
}

func (socketCodec) signal(room string, signal *streams.Signal) []byte {
	return signal.Encoded(func(signal *streams.Signal) []byte {
		return webSocketFrame(opText, signalJSON(room, signal))
	})
}

func (socketCodec) status(away bool) []byte { return webSocketFrame(opText, statusJSON(away)) }
func (socketCodec) beat() []byte            { return webSocketFrame(opPing, nil) }

func (socketCodec) end(code int, reason string) []byte { return closeFrame(code, reason) }

// websocket frame opcodes, RFC 6455 section 5.2.
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// webSocketFrame makes one unfragmented frame from the server: no mask, RFC
// 6455 section 5.1.
func webSocketFrame(opcode byte, payload []byte) []byte {
	frame := make([]byte, 0, len(payload)+10)
	frame = append(frame, 0x80|opcode)
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, byte(n))
	case n < 1<<16:
		frame = append(frame, 126, byte(n>>8), byte(n))
	default:
		frame = append(frame, 127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(frame, payload...)
}

// closeFrame is a close frame with a code, RFC 6455 section 7.4.
func closeFrame(code int, reason string) []byte {
	payload := slices.Concat([]byte{byte(code >> 8), byte(code)}, []byte(reason))
	return webSocketFrame(opClose, payload)
}
