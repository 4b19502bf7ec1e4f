package socket

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"burble/app/limit"
	"burble/app/live"
)

// startFeed returns a feed on one end of a pipe, which is closed when the test ends.
func startFeed(t *testing.T) *live.Feed {
	t.Helper()
	engine := live.New(live.Options{Log: slog.New(slog.DiscardHandler)})
	server, client := net.Pipe()
	started, closed := make(chan *live.Feed, 1), make(chan struct{})
	err := engine.Start(server, live.WebSocket, "", nil, func(feed *live.Feed) {
		defer close(closed)
		started <- feed
		feed.WaitClosed()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); <-closed; engine.Drain(context.Background()) })
	return <-started
}

// The server closes the connection of a client that floods, but not of one that only slightly exceeds
// the rate.
func TestFloodIsClosedAlthoughSomeFramesAreAccepted(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	server := &Server{Frames: limit.NewRate(10, 40)}
	for perSecond, closed := range map[int]bool{10: false, 15: false, 30: true, 1000: true} {
		c := &client{Client: &Client{Address: fmt.Sprint(perSecond)}, server: server, feed: startFeed(t)}
		for i := range 5000 {
			c.allowFrame(start.Add(time.Duration(i) * time.Second / time.Duration(perSecond)))
		}
		if c.feed.Closed() != closed {
			t.Errorf("%d frames a second: closed: %v, want %v", perSecond, c.feed.Closed(), closed)
		}
	}
}
