package live

import (
	"burble/app/ws"
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// A client that stalls while the server drains gets the rest of the frame it stopped in.
func TestCloseFollowsTheRestOfAFrame(t *testing.T) {
	conn, reader := net.Pipe()
	f := &Feed{conn: conn, codec: WebSocket}
	frame := ws.Text([]byte(`{"type":"entries"}`))
	f.HangUp(ws.CloseRestart, "away")
	received := make([]byte, 5)
	go func() {
		io.ReadFull(reader, received)
		conn.SetWriteDeadline(time.Unix(1, 0))
	}()
	if f.Write(frame) {
		t.Fatal("all of it was written")
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		f.finish()
	}()
	want := slices.Concat(frame, f.codec.end(ws.CloseRestart, "away"))
	rest := make([]byte, len(want)-len(received))
	reader.SetReadDeadline(time.Now().Add(wait))
	n, err := io.ReadFull(reader, rest)
	if got := slices.Concat(received, rest[:n]); !bytes.Equal(got, want) {
		t.Errorf("%v; %q came, want %q", err, got, want)
	}
	reader.Close()
	<-finished
}
