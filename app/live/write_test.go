package live

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"burble/app/ws"
)

func TestCloseFrameFollowsRestOfUnfinishedFrame(t *testing.T) {
	t.Parallel()
	server, client := net.Pipe()
	f := &Feed{conn: server, codec: WebSocket}
	frame := ws.Text([]byte(`{"type":"entries"}`))
	f.HangUp(ws.CloseRestart, "away")
	received := make([]byte, 5)
	go func() {
		io.ReadFull(client, received)
		server.SetWriteDeadline(time.Unix(1, 0)) // simulates a client that stops reading
	}()
	if f.Write(frame) {
		t.Fatal("Write wrote the whole frame, want only its first bytes")
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		f.finish()
	}()
	want := slices.Concat(frame, f.codec.end(ws.CloseRestart, "away"))
	rest := make([]byte, len(want)-len(received))
	client.SetReadDeadline(time.Now().Add(patience))
	n, err := io.ReadFull(client, rest)
	if got := slices.Concat(received, rest[:n]); !bytes.Equal(got, want) {
		t.Errorf("received %q, %v; want %q", got, err, want)
	}
	client.Close()
	<-finished
}
