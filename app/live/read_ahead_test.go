package live

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"

	"burble/app/protocol"
	"burble/streams"
	"burble/streams/conns"

	"github.com/alicebob/miniredis/v2"
)

// If two goroutines used a room's reader at once, both could start it, and the client would receive two followed
// frames.
func TestRoomThatBecomesReadableWhileItIsReadIsNotReadTwice(t *testing.T) {
	t.Parallel()
	store, err := streams.Open(t.Context(), streams.Options{
		Redis: &conns.Address{Addrs: []string{miniredis.RunT(t).Addr()}},
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { store.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait(); store.Close() })
	e, _ := startEngine(t)
	f := &Feed{engine: e, codec: NDJSON(false), isPumping: true} // this test is the pump
	err = f.Follow("lobby", protocol.BatchFormat{}, func(ready func(*streams.Reader)) (*streams.Reader, error) {
		return store.As(streams.User{ID: "1", Name: "Ada"}).Follow("lobby", streams.Newest(1), ready)
	})
	if err != nil {
		t.Fatal(err)
	}
	room, _, _ := f.next()
	ready := func() { f.queueRoom(room) }
	ready()
	ahead := make(readAhead)
	if head, frame, _ := f.read(room, ahead); head == nil && frame == nil {
		_, err := room.reader.Next(t.Context())
		t.Fatal("the room was not read:", err)
	}
	if _, _, ok := ahead.take(room); ok {
		t.Error("the room was read twice at the same time")
	}
}
