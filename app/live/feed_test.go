package live

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/protocol"
	"burble/app/ws"
	"burble/streams"
)

// Helpers of this package's tests:
//
//	startEngine  an Engine that runs until the test ends
//	startFeed    a Feed over a pipe, and the client's end of it
//	wait         how long a test waits for what must happen

// wait is how long a test waits for what must happen.
const wait = time.Minute

// startEngine returns an Engine that runs until the test ends, and what it logs.
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

// startFeed starts a feed that stays open until its client or the engine closes it.
func startFeed(t *testing.T, e *Engine, codec Codec) (*Feed, *bufio.Reader) {
	t.Helper()
	server, client := net.Pipe()
	client.SetDeadline(time.Now().Add(wait))
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

func TestFeedFollowsNoMoreThanMaxRooms(t *testing.T) {
	t.Parallel()
	f := &Feed{rooms: map[string]*following{}}
	for i := range MaxRooms {
		f.rooms[fmt.Sprint(i)] = &following{}
	}
	opened := 0
	open := func(func(*streams.Reader)) (*streams.Reader, error) {
		opened++
		return nil, io.EOF // whatever: it was asked
	}
	err := f.Follow("kitchen", protocol.Form{}, open)
	if refused := protocol.AsError(err); refused.Code != protocol.BadField || refused.Field != "room" || opened != 0 {
		t.Errorf("one room more: %v, opened %d", err, opened)
	}
	if err := f.Follow("7", protocol.Form{}, open); err != io.EOF || opened != 1 {
		t.Errorf("a room that is followed already: %v, opened %d", err, opened)
	}
}

func TestHeartbeatsAreDueAfterTheInterval(t *testing.T) {
	t.Parallel()
	r := &registry{heartbeat: 20 * time.Second}
	f := &Feed{}
	r.add(f)
	now := time.Now()
	if due := r.due(now.Add(10 * time.Second)); len(due) > 0 {
		t.Errorf("%d heartbeats are due early", len(due))
	}
	if due := r.due(now.Add(20 * time.Second)); !slices.Equal(due, []*Feed{f}) {
		t.Errorf("due after the interval: %v", due)
	}
	if due := r.due(now.Add(25 * time.Second)); len(due) > 0 {
		t.Errorf("a heartbeat is due again after 5 s")
	}
}

func TestStartTellsOfAnOutageThatBeganBefore(t *testing.T) {
	t.Parallel()
	e, _ := startEngine(t)
	e.SetStatus(true)
	_, client := startFeed(t, e, NDJSON(false))
	if line, err := client.ReadString('\n'); line != `{"type":"status","redis":"away"}`+"\n" {
		t.Errorf("read %q, %v", line, err)
	}
	e.SetStatus(false)
	if line, err := client.ReadString('\n'); line != `{"type":"status","redis":"back"}`+"\n" {
		t.Errorf("read %q, %v", line, err)
	}
}

// panicking is a codec with a bug.
type panicking struct{ Codec }

func (panicking) status(bool) []byte { panic("a bug") }

func TestPanicWhileWritingClosesOneConnection(t *testing.T) {
	t.Parallel()
	e, log := startEngine(t)
	_, broken := startFeed(t, e, panicking{WebSocket})
	healthy, _ := startFeed(t, e, NDJSON(false))
	e.SetStatus(true)
	want := ws.CloseFrame(ws.CloseInternal, errorReason)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(broken, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %q, %v", got, err)
	}
	if healthy.Closed() {
		t.Error("another connection is closed, too")
	}
	if !strings.Contains(log.String(), "msg=panic") {
		t.Error("the panic is not in the log")
	}
}

func TestNoticesAreSharedNotCopied(t *testing.T) {
	t.Parallel()
	frame := []byte("who is present: long in a crowd")
	n := notices{frames: [][]byte{frame}}
	if got := n.take(WebSocket); &got[0] != &frame[0] {
		t.Error("the frame was copied")
	}
	n = notices{frames: [][]byte{frame}, heartbeat: true}
	if got := n.take(WebSocket); string(got) != string(frame)+string(WebSocket.heartbeat()) || n.take(WebSocket) != nil {
		t.Errorf("took %q", got)
	}
}

func TestDrainRefusesNewFeeds(t *testing.T) {
	t.Parallel()
	e, _ := startEngine(t)
	e.Drain(t.Context())
	server, client := net.Pipe()
	defer client.Close()
	defer server.Close()
	if err := e.Start(server, WebSocket, "", nil, func(*Feed) { t.Error("served") }); err != ErrDraining {
		t.Errorf("start: %v", err)
	}
}
