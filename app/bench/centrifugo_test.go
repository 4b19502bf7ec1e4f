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

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// likeCentrifugo speaks as much of Centrifugo's protocol as the bench does. It pings
// first, and nobody gets anything who has not answered.
type likeCentrifugo struct {
	mu          sync.Mutex
	subscribers map[string][]*websocket.Conn
	forbidden   bool
}

// command is what a client sends. A frame may have several, each on a line.
type command struct {
	ID        int              `json:"id"`
	Connect   *json.RawMessage `json:"connect"`
	Subscribe *struct{ Channel string }
	Publish   *struct {
		Channel string
		Data    json.RawMessage
	}
}

func (l *likeCentrifugo) serve(conn *websocket.Conn) {
	var held []string
	answered := false
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		for line := range bytes.Lines(text) {
			if string(bytes.TrimSpace(line)) == "{}" {
				answered = true
				l.subscribe(conn, held)
				continue
			}
			var asked command
			if err := json.Unmarshal(line, &asked); err != nil {
				return
			}
			switch {
			case asked.Connect != nil:
				l.write(conn, fmt.Sprintf("{}\n"+`{"id":%d,"connect":{"client":"x","ping":25,"pong":true}}`, asked.ID))
			case asked.Subscribe != nil && !answered:
				held = append(held, asked.Subscribe.Channel)
			case asked.Publish != nil:
				l.publish(conn, asked)
			}
		}
	}
}

func (l *likeCentrifugo) subscribe(conn *websocket.Conn, channels []string) {
	var replies []byte
	l.mu.Lock()
	for i, channel := range channels {
		l.subscribers[channel] = append(l.subscribers[channel], conn)
		replies = fmt.Appendf(replies, `{"id":%d,"subscribe":{}}`+"\n", i+2)
	}
	l.mu.Unlock()
	l.write(conn, string(bytes.TrimSpace(replies)))
}

func (l *likeCentrifugo) publish(from *websocket.Conn, asked command) {
	if l.forbidden {
		l.write(from, fmt.Sprintf(`{"id":%d,"error":{"code":103,"message":"permission denied"}}`, asked.ID))
		return
	}
	l.write(from, fmt.Sprintf(`{"id":%d,"publish":{}}`, asked.ID))
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.subscribers[asked.Publish.Channel] {
		text := fmt.Sprintf(`{"push":{"channel":"%s","pub":{"data":%s}}}`, asked.Publish.Channel, asked.Publish.Data)
		conn.WriteMessage(websocket.TextMessage, []byte(text))
	}
}

func (l *likeCentrifugo) write(conn *websocket.Conn, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	conn.WriteMessage(websocket.TextMessage, []byte(text))
}

// startLike starts one and has the bench find it.
func startLike(t *testing.T, b *bench, forbidden bool) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &likeCentrifugo{subscribers: map[string][]*websocket.Conn{}, forbidden: forbidden}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/connection/websocket", websocket.New(l.serve))
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		app.Shutdown()
		<-served
	})
	b.centrifugo.port, b.centrifugo.pids = listener.Addr().(*net.TCPAddr).Port, []int{os.Getpid()}
}

func TestWhatSpeaksCentrifugosProtocolIsMeasured(t *testing.T) {
	b := aBench(t, "fanout", "-target", "centrifugo", "-clients", "12", "-rooms", "3", "-follow", "2",
		"-rate", "60", "-for", "300ms", "-warm", "100ms", "-settle", "0s")
	startLike(t, b, false)
	got, err := b.deliver(t.Context(), &plan{target: b.targets[0], mode: b.mode, work: b.work}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := got.wrong(); wrong != "" || got.Deliveries == 0 || got.Deliveries%8 != 0 {
		t.Errorf("%d deliveries, %s", got.Deliveries, wrong)
	}
}

func TestCentrifugoThatForbidsPublishingIsQuoted(t *testing.T) {
	b := aBench(t, "fanout", "-target", "centrifugo", "-clients", "2", "-rate", "20", "-for", "100ms", "-warm", "0s", "-patience", "2s")
	startLike(t, b, true)
	got, err := b.deliver(t.Context(), &plan{target: b.targets[0], mode: b.mode, work: b.work}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got.Refused != 2 || got.Missing != 4 || got.Said != `{"id":9,"error":{"code":103,"message":"permission denied"}}` {
		t.Errorf("%d refused, %d missing, and it said %q", got.Refused, got.Missing, got.Said)
	}
}
