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

// A Codec is how one kind of connection writes what a feed reads.
type Codec interface {
	followed(room string, followed *streams.Followed) []byte
	batch(batch *streams.Batch, form protocol.Form) []byte
	signal(room string, signal *streams.Signal) []byte // nil: not written
	status(away bool) []byte
	heartbeat() []byte
	end(code int, reason string) []byte
}

// The encodings of a batch that connections share, see streams.Batch.Encoded.
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

// webSocket writes frames.
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

// PresentFrame returns the frame "present" as WebSocket connections get it.
func PresentFrame(room string, count int, people []streams.User) []byte {
	return ws.Text(protocol.EncodePresent(room, count, people))
}

// minDeflate is the length, in bytes, from which a batch is compressed.
const minDeflate = 1 << 10

// deflate compresses the text into the zlib format, RFC 1950, which HTTP calls deflate. It is
// done once for all readers of a batch. Compressing across batches would need 800 KB of state
// for each connection.
func deflate(text []byte) []byte {
	var packed bytes.Buffer
	packed.Grow(len(text) / 3)
	packed.Write([]byte{0x78, 0x01})                 // the method, a window of 32 KiB, fast
	flate.StatelessDeflate(&packed, text, true, nil) // into memory: cannot fail
	return binary.BigEndian.AppendUint32(packed.Bytes(), adler32.Checksum(text))
}
