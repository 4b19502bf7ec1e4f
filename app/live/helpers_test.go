package live

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"
)

// Helpers of this package's tests:
//
//	startEngine  starts an Engine that runs until the test ends
//	startFeed    starts a Feed over a pipe
//	patience     timeout for expected events

// patience is the timeout for expected events.
const patience = time.Minute

// startEngine returns an Engine that runs until the test ends, and the buffer with its log.
func startEngine(t *testing.T) (*Engine, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	e := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	t.Cleanup(func() {
		e.Drain(context.Background())
		cancel()
		running.Wait()
	})
	return e, &log
}

// startFeed returns a feed over a pipe, and the client's end of the pipe. The feed stays open until
// the client or the engine closes it.
func startFeed(t *testing.T, e *Engine, codec Codec) (*Feed, *bufio.Reader) {
	t.Helper()
	server, client := net.Pipe()
	client.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { client.Close() })
	started := make(chan *Feed, 1)
	err := e.Start(server, codec, "", nil, func(f *Feed) {
		started <- f
		f.WaitClosed()
	})
	if err != nil {
		t.Fatal(err)
	}
	return <-started, bufio.NewReader(client)
}
