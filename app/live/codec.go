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

// A Codec encodes the output of a feed for one kind of connection.
type Codec interface {
	followed(room string, followed *streams.Followed) []byte
	batch(batch *streams.Batch, format protocol.BatchFormat) []byte
	closed(room string, reason streams.Closed) []byte
	signal(room string, signal *streams.Signal) []byte // returns nil if this kind of connection gets no signals
	status(away bool) []byte                           // reports whether Redis is away
	heartbeat() []byte
	end(code int, reason string) []byte // last bytes of the connection
}

// The encodings of a batch. Connections that use the same encoding share the encoded bytes. See
// streams.Batch.Encoded.
const (
	encodingSocket = iota
	encodingSocketHTML
	encodingSocketDeflate
	encodingSocketHTMLDeflate
	encodingEventStream
	encodingNDJSON
	encodingPlainText
	encodingFrameLine
	encodingFrameLineHTML
)

// WebSocket is the codec of WebSocket connections.
var WebSocket Codec = webSocket{}

// webSocket encodes WebSocket frames.
type webSocket struct{}

func (webSocket) followed(room string, followed *streams.Followed) []byte {
	return ws.Text(protocol.EncodeFollowed(room, followed))
}

func (webSocket) batch(batch *streams.Batch, format protocol.BatchFormat) []byte {
	encoding := encodingSocket
	switch {
	case format.HTML && format.Deflate:
		encoding = encodingSocketHTMLDeflate
	case format.Deflate:
		encoding = encodingSocketDeflate
	case format.HTML:
		encoding = encodingSocketHTML
	}
	return batch.Encoded(encoding, func(batch *streams.Batch) []byte {
		text := protocol.EncodeEntries(batch, format.HTML)
		if format.Deflate && len(text) >= minDeflateSize {
			return ws.Frame(ws.OpBinary, deflate(text))
		}
		return ws.Text(text)
	})
}

func (webSocket) closed(room string, reason streams.Closed) []byte {
	return ws.Text(protocol.EncodeClosed(room, reason))
}

func (webSocket) signal(room string, signal *streams.Signal) []byte {
	return signal.Encoded(func(signal *streams.Signal) []byte {
		return ws.Text(protocol.EncodeSignal(room, signal))
	})
}

func (webSocket) status(away bool) []byte { return ws.Text(protocol.EncodeStatus(away)) }
func (webSocket) heartbeat() []byte       { return ws.Frame(ws.OpPing, nil) }

func (codec webSocket) end(code int, reason string) []byte {
	end := ws.CloseFrame(code, reason)
	if code == ws.CloseSignedOut {
		end = append(codec.closed("", protocol.SignedOut), end...)
	}
	return end
}

// PresentFrame returns a "present" frame of the protocol as a WebSocket frame.
func PresentFrame(room string, count int, people []streams.User) []byte {
	return ws.Text(protocol.EncodePresent(room, count, people))
}

// minDeflateSize is the minimum size of a batch to compress, in bytes.
const minDeflateSize = 1 << 10

// deflate compresses text to the zlib format (RFC 1950), which HTTP calls deflate. It compresses
// each batch independently, once for all readers. Compression across batches would need 800 KB of
// state per connection.
func deflate(text []byte) []byte {
	var packed bytes.Buffer
	packed.Grow(len(text) / 3)
	packed.Write([]byte{0x78, 0x01})                 // zlib header: deflate, 32 KiB window, fastest level
	flate.StatelessDeflate(&packed, text, true, nil) // never fails, because writes to a Buffer never fail
	return binary.BigEndian.AppendUint32(packed.Bytes(), adler32.Checksum(text))
}
