package live

import (
	"strings"
	"testing"

	"burble/app/protocol"
	"burble/streams"
)

// BenchmarkSharedBatch measures the cost per reader of a batch that another connection has already
// encoded.
func BenchmarkSharedBatch(b *testing.B) {
	batch := &streams.Batch{Room: "lobby"}
	for i := range 50 {
		batch.Entries = append(batch.Entries, streams.Entry{
			ID: streams.ID{Millis: 1732281600000 + uint64(i)}, Number: int64(i + 1), Kind: streams.Message, Text: strings.Repeat("hello, all ", 9),
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		WebSocket.batch(batch, protocol.BatchFormat{})
	}
}
