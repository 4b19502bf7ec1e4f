package main

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// A reader that stalls while the server goes away gets the frame whole that it stopped in.
func TestCloseFollowsTheRestOfTheFrameThatTimedOut(t *testing.T) {
	conn, reader := net.Pipe()
	f := &feed{conn: conn, codec: socketCodec{}}
	frame := webSocketFrame(opText, []byte(`{"type":"entries"}`))
	f.hangUp(closeRestart, "away")
	come := make([]byte, 5)
	go func() {
		io.ReadFull(reader, come)
		conn.SetWriteDeadline(time.Unix(1, 0))
	}()
	if f.write(frame) {
		t.Fatal("all of it was written")
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		f.finish()
	}()
	want := slices.Concat(frame, f.codec.end(closeRestart, "away"))
	rest := make([]byte, len(want)-len(come))
	reader.SetReadDeadline(time.Now().Add(patience))
	n, err := io.ReadFull(reader, rest)
	if got := slices.Concat(come, rest[:n]); !bytes.Equal(got, want) {
		t.Errorf("%v; %q came, want %q", err, got, want)
	}
	reader.Close()
	<-finished
}
