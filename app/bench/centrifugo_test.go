//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"burble/streams/redistest"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// fakeCentrifugo is a server that implements the part of Centrifugo's protocol that the bench uses. It
// first sends a ping, and confirms a client's subscriptions only after the client's pong.
type fakeCentrifugo struct {
	mu          sync.Mutex
	subscribers map[string][]*websocket.Conn
	forbidden   bool // whether clients may not publish
}

// command is a command from a client. A frame may contain several, one per line.
type command struct {
	ID        int              `json:"id"`
	Connect   *json.RawMessage `json:"connect"`
	Subscribe *struct{ Channel string }
	Publish   *struct {
		Channel string
		Data    json.RawMessage
	}
}

func (s *fakeCentrifugo) serve(conn *websocket.Conn) {
	var pending []string // channels
	gotPong := false
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		for line := range bytes.Lines(text) {
			if string(bytes.TrimSpace(line)) == "{}" {
				gotPong = true
				s.subscribe(conn, pending)
				continue
			}
			var cmd command
			if err := json.Unmarshal(line, &cmd); err != nil {
				return
			}
			switch {
			case cmd.Connect != nil:
				s.write(conn, fmt.Sprintf("{}\n"+`{"id":%d,"connect":{"client":"x","ping":25,"pong":true}}`, cmd.ID))
			case cmd.Subscribe != nil && !gotPong:
				pending = append(pending, cmd.Subscribe.Channel)
			case cmd.Publish != nil:
				s.publish(conn, cmd)
			}
		}
	}
}

func (s *fakeCentrifugo) subscribe(conn *websocket.Conn, channels []string) {
	var replies []byte
	s.mu.Lock()
	for i, channel := range channels {
		s.subscribers[channel] = append(s.subscribers[channel], conn)
		replies = fmt.Appendf(replies, `{"id":%d,"subscribe":{}}`+"\n", i+2)
	}
	s.mu.Unlock()
	s.write(conn, string(bytes.TrimSpace(replies)))
}

func (s *fakeCentrifugo) publish(from *websocket.Conn, cmd command) {
	if s.forbidden {
		s.write(from, fmt.Sprintf(`{"id":%d,"error":{"code":103,"message":"permission denied"}}`, cmd.ID))
		return
	}
	s.write(from, fmt.Sprintf(`{"id":%d,"publish":{}}`, cmd.ID))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.subscribers[cmd.Publish.Channel] {
		text := fmt.Sprintf(`{"push":{"channel":"%s","pub":{"data":%s}}}`, cmd.Publish.Channel, cmd.Publish.Data)
		conn.WriteMessage(websocket.TextMessage, []byte(text))
	}
}

func (s *fakeCentrifugo) write(conn *websocket.Conn, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn.WriteMessage(websocket.TextMessage, []byte(text))
}

// startCentrifugo starts a fakeCentrifugo and configures the bench to use it.
func startCentrifugo(t *testing.T, b *bench, forbidden bool) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &fakeCentrifugo{subscribers: map[string][]*websocket.Conn{}, forbidden: forbidden}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/connection/websocket", websocket.New(s.serve))
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		app.Shutdown()
		<-served
	})
	b.launcher.Centrifugo.Port, b.launcher.Centrifugo.PIDs = listener.Addr().(*net.TCPAddr).Port, []int{os.Getpid()}
}

func TestCentrifugoIsMeasured(t *testing.T) {
	b := newBench(t, shortRun(300*time.Millisecond, "fanout", "-target", "centrifugo", "-clients", "12", "-rooms", "3", "-follow", "2", "-rate", "60")...)
	startCentrifugo(t, b, false)
	res := b.runOnce(t)
	if faults := res.Faults(); faults != "" || res.Deliveries == 0 || res.Deliveries%8 != 0 {
		t.Errorf("%d deliveries, want a multiple of 8; %s", res.Deliveries, faults)
	}
}

func TestFirstErrorFromCentrifugoIsReported(t *testing.T) {
	redistest.SkipUnlessLong(t)
	b := newBench(t, "fanout", "-target", "centrifugo", "-clients", "2", "-rate", "20", "-for", "100ms", "-warm", "0s", "-patience", "2s")
	startCentrifugo(t, b, true)
	res := b.runOnce(t)
	if res.Refused != 2 || res.Missing != 4 || res.FirstError != `{"id":9,"error":{"code":103,"message":"permission denied"}}` {
		t.Errorf("%d refused, %d missing, first error %q; want 2, 4 and permission denied", res.Refused, res.Missing, res.FirstError)
	}
}
