package live

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"burble/app/ws"
)

func TestNewFeedIsNotifiedOfOutage(t *testing.T) {
	t.Parallel()
	e, _ := startEngine(t)
	e.SetStatus(true)
	_, client := startFeed(t, e, NDJSON(false))
	if line, err := client.ReadString('\n'); line != `{"type":"status","redis":"away"}`+"\n" {
		t.Errorf("read %q, %v; want the status away", line, err)
	}
	e.SetStatus(false)
	if line, err := client.ReadString('\n'); line != `{"type":"status","redis":"back"}`+"\n" {
		t.Errorf("read %q, %v; want the status back", line, err)
	}
}

// panickingCodec panics when it encodes a status.
type panickingCodec struct{ Codec }

func (panickingCodec) status(bool) []byte { panic("a bug") }

func TestPanicWhileWritingClosesOneConnection(t *testing.T) {
	t.Parallel()
	e, log := startEngine(t)
	_, broken := startFeed(t, e, panickingCodec{WebSocket})
	healthy, _ := startFeed(t, e, NDJSON(false))
	e.SetStatus(true)
	want := ws.CloseFrame(ws.CloseInternal, errorReason)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(broken, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %q, %v; want %q", got, err, want)
	}
	if healthy.Closed() {
		t.Error("another connection was closed too")
	}
	if !strings.Contains(log.String(), "msg=panic") {
		t.Error("the panic was not logged")
	}
}

func TestDrainRefusesNewFeeds(t *testing.T) {
	t.Parallel()
	e, _ := startEngine(t)
	e.Drain(t.Context())
	server, client := net.Pipe()
	defer client.Close()
	defer server.Close()
	if err := e.Start(server, WebSocket, "", nil, func(*Feed) { t.Error("serve was called") }); !errors.Is(err, ErrDraining) {
		t.Errorf("start while draining: got error %v, want ErrDraining", err)
	}
}
