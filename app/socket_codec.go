package main

import (
	"bytes"
	"encoding/binary"
	"hash/adler32"
	"slices"

	"burble/app/protocol"
	"burble/streams"

	"github.com/klauspost/compress/flate"
)

// socketCodec says things in WebSocket frames.
type socketCodec struct{}

// The forms of a batch that connections share, see streams.Batch.Encoded.
const (
	formSocket = iota
	formSocketHTML
	formSocketDeflate
	formSocketHTMLDeflate
	formEvents
	formLines
	formText
)

func (socketCodec) followed(room string, followed *streams.Followed) []byte {
	return webSocketFrame(opText, protocol.EncodeFollowed(room, followed))
}

func (socketCodec) batch(batch *streams.Batch, form protocol.Form) []byte {
	shared := formSocket
	switch {
	case form.HTML && form.Deflate:
		shared = formSocketHTMLDeflate
	case form.Deflate:
		shared = formSocketDeflate
	case form.HTML:
		shared = formSocketHTML
	}
	return batch.Encoded(shared, func(batch *streams.Batch) []byte {
		text := protocol.EncodeEntries(batch, form.HTML)
		if form.Deflate && len(text) >= deflateFrom {
			return webSocketFrame(opBinary, deflated(text))
		}
		return webSocketFrame(opText, text)
	})
}

// deflateFrom is how long a batch is at least, in bytes, that is worth compressing.
const deflateFrom = 1 << 10

// deflated is the text in HTTP's coding of that name, RFC 1950. It is made once for all
// who read the batch, and needs no state between two, which would be 800 KB.
func deflated(text []byte) []byte {
	var packed bytes.Buffer
	packed.Grow(len(text) / 3)
	packed.Write([]byte{0x78, 0x01})                 // the method, a window of 32 KiB, fast
	flate.StatelessDeflate(&packed, text, true, nil) // into memory: cannot fail
	return binary.BigEndian.AppendUint32(packed.Bytes(), adler32.Checksum(text))
}

func (socketCodec) signal(room string, signal *streams.Signal) []byte {
	return signal.Encoded(func(signal *streams.Signal) []byte {
		return webSocketFrame(opText, protocol.EncodeSignal(room, signal))
	})
}

func (socketCodec) status(away bool) []byte {
	return webSocketFrame(opText, protocol.EncodeStatus(away))
}
func (socketCodec) beat() []byte { return webSocketFrame(opPing, nil) }

func (socketCodec) end(code int, reason string) []byte { return closeFrame(code, reason) }

// websocket frame opcodes, RFC 6455 section 5.2.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
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
