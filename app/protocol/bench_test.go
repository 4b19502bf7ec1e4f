package protocol

import (
	"fmt"
	"strings"
	"testing"

	"burble/streams"
)

// newBatch returns a batch of count messages of 99 characters each.
func newBatch(count int) *streams.Batch {
	batch := &streams.Batch{Room: "lobby", After: streams.Cursor{ID: exampleTarget, Epoch: "Q3N7ZK5WYB2A"}}
	for i := range count {
		id := streams.ID{Millis: exampleID.Millis + uint64(i)}
		batch.Upto = streams.Cursor{ID: id, Epoch: batch.After.Epoch}
		batch.Entries = append(batch.Entries, streams.Entry{
			ID: id, Number: int64(i + 1), Kind: streams.Message, Key: exampleKey, User: exampleUser, Text: strings.Repeat("hello, all ", 9),
		})
	}
	return batch
}

// BenchmarkEncodeEntries measures the encoding of a batch. A server encodes each batch once for all
// readers.
func BenchmarkEncodeEntries(b *testing.B) {
	for _, count := range []int{1, 50, 500} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			batch := newBatch(count)
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(len(EncodeEntries(batch, false))))
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for kind, text := range map[string]string{
		"send":   `{"type":"send","room":"lobby","key":"` + exampleKey + `","text":"` + strings.Repeat("hello, all ", 9) + `"}`,
		"follow": `{"type":"follow","room":"lobby","after":"1732281600000-0@Q3N7ZK5WYB2A"}`,
	} {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse([]byte(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
