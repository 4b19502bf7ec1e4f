package streams_test

import (
	"context"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func BenchmarkAppend(b *testing.B) {
	server := redistest.Start(b)
	store := redistest.Open(b, streams.Options{Redis: server.Redis()})
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: "hello, all"}
			if _, err := store.As(entry.User).Append(context.Background(), "lobby", entry); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkSequentialAppend(b *testing.B) {
	server := redistest.Start(b)
	store := redistest.Open(b, streams.Options{Redis: server.Redis()})
	b.ReportAllocs()
	for b.Loop() {
		post(b, store, "lobby", "hello, all")
	}
}

// read reads to the end, and returns the number of entries that it read.
func read(b *testing.B, store *streams.Store, from streams.From) (reader *streams.Reader, entries int) {
	b.Helper()
	reader, err := store.As(ada).Follow("lobby", from, func(*streams.Reader) {})
	if err != nil {
		b.Fatal(err)
	}
	for {
		got, err := reader.Next(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		if got.Followed == nil && got.Batch == nil {
			return reader, entries
		}
		if got.Batch != nil {
			entries += len(got.Batch.Entries)
		}
	}
}

// BenchmarkNextFromWindow follows a room and reads batches from the window.
func BenchmarkNextFromWindow(b *testing.B) {
	server := redistest.Start(b)
	store := redistest.Open(b, streams.Options{Redis: server.Redis()})
	first := post(b, store, "lobby", "first")
	held, _ := read(b, store, streams.Newest(0)) // keeps the window open
	defer held.Close()
	for range 100 {
		post(b, store, "lobby", "x")
	}
	eventually(b, "the window to hold all messages", func() bool {
		reader, entries := read(b, store, streams.After(first.Cursor))
		reader.Close()
		return entries == 100
	})
	b.ReportAllocs()
	batches := 0
	for b.Loop() {
		reader, err := store.As(ada).Follow("lobby", streams.After(first.Cursor), func(*streams.Reader) {})
		if err != nil {
			b.Fatal(err)
		}
		for {
			got, err := reader.Next(context.Background())
			if err != nil || got.Followed == nil && got.Batch == nil {
				break
			}
			batches++
		}
		reader.Close()
	}
	b.ReportMetric(float64(batches)/float64(b.N), "reads/op")
}

// BenchmarkCatchUp reads 10,000 missed entries.
func BenchmarkCatchUp(b *testing.B) {
	server := redistest.Start(b)
	client := server.Client()
	defer client.Close()
	writer := redistest.Open(b, streams.Options{Redis: server.Redis()})
	first := post(b, writer, "lobby", "first")
	fill(b, client, 10_000)
	store := redistest.Open(b, streams.Options{Redis: server.Redis()})
	b.ReportAllocs()
	for b.Loop() {
		reader, entries := read(b, store, streams.After(first.Cursor))
		reader.Close() // also drops the window
		if entries != 10_000 {
			b.Fatalf("read %d entries, want 10,000", entries)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	server := redistest.Start(b)
	client := server.Client()
	defer client.Close()
	store := redistest.Open(b, streams.Options{Redis: server.Redis()})
	post(b, store, "lobby", "first")
	fill(b, client, 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.As(ada).Page(context.Background(), "lobby", streams.PageQuery{Limit: 50}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseCursor(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := streams.ParseCursor("1732281600000-0@ABCDEFGHIJKL"); err != nil {
			b.Fatal(err)
		}
	}
}
