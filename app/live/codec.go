package live

import (
	"bytes"
	"encoding/binary"
	"hash/adler32"

	"burble/app/protocol"
	"burble/app/ws"
	"burble/streams"

	"github.com/klauspost/compress/flate"
)

// A Codec encodes what a feed writes, for one kind of connection.
type Codec interface {
	followed(room string, followed *streams.Followed) []byte
	batch(batch *streams.Batch, form protocol.Form) []byte
	signal(room string, signal *streams.Signal) []byte // nil: this kind of connection gets no signals
	status(away bool) []byte                           // of Redis
	heartbeat() []byte
	end(code int, reason string) []byte // ends the connection
}

// The encodings of a batch, each shared by all connections that use it; see streams.Batch.Encoded.
const (
	encodingSocket = iota
	encodingSocketHTML
	encodingSocketDeflate
	encodingSocketHTMLDeflate
	encodingEventStream
	encodingNDJSON
	encodingPlainText
)

// WebSocket is the codec of WebSocket connections.
var WebSocket Codec = webSocket{}

// webSocket encodes WebSocket frames.
type webSocket struct{}

func (webSocket) followed(room string, followed *streams.Followed) []byte {
	return ws.Text(protocol.EncodeFollowed(room, followed))
}

func (webSocket) batch(batch *streams.Batch, form protocol.Form) []byte {
	encoding := encodingSocket
	switch {
	case form.HTML && form.Deflate:
		encoding = encodingSocketHTMLDeflate
	case form.Deflate:
		encoding = encodingSocketDeflate
	case form.HTML:
		encoding = encodingSocketHTML
	}
	return batch.Encoded(encoding, func(batch *streams.Batch) []byte {
		text := protocol.EncodeEntries(batch, form.HTML)
		if form.Deflate && len(text) >= minDeflate {
			return ws.Frame(ws.OpBinary, deflate(text))
		}
		return ws.Text(text)
	})
}

func (webSocket) signal(room string, signal *streams.Signal) []byte {
	return signal.Encoded(func(signal *streams.Signal) []byte {
		return ws.Text(protocol.EncodeSignal(room, signal))
	})
}

func (webSocket) status(away bool) []byte { return ws.Text(protocol.EncodeStatus(away)) }
func (webSocket) heartbeat() []byte       { return ws.Frame(ws.OpPing, nil) }

func (webSocket) end(code int, reason string) []byte { return ws.CloseFrame(code, reason) }

// PresentFrame returns the protocol's frame "present" as a WebSocket frame.
func PresentFrame(room string, count int, people []streams.User) []byte {
	return ws.Text(protocol.EncodePresent(room, count, people))
}

// minDeflate is the least length of a batch, in bytes, that is compressed.
const minDeflate = 1 << 10

// deflate compresses the text into the zlib format, RFC 1950, which HTTP calls deflate. Batches are
// compressed independently, once for all their readers; compressing across batches would need
// 800 KB of state for each connection.
func deflate(text []byte) []byte {
	var packed bytes.Buffer
	packed.Grow(len(text) / 3)
	packed.Write([]byte{0x78, 0x01})                 // the header: deflate, window of 32 KiB, fastest
	flate.StatelessDeflate(&packed, text, true, nil) // cannot fail, because a Buffer cannot
	return binary.BigEndian.AppendUint32(packed.Bytes(), adler32.Checksum(text))
}
