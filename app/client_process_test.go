//go:build unix

package main_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/google/uuid"
)

// wireFrame is any frame from the server, as the protocol has it.
type wireFrame struct {
	Type, Room, State, At, After, Upto string
	Entries                            []wireEntry
	Key, ID                            string
	Code, Message                      string
	RetryAfter                         int `json:"retry_after_ms"`
	Redis                              string
	Protocol, Durability               string
}

type wireEntry struct {
	ID, Kind, Key, Text string
	N                   int
	User                struct{ ID, Name string }
}

// socket is one WebSocket. One goroutine hears, any may say.
type socket struct {
	conn   *websocket.Conn
	gone   chan struct{} // closed by whoever heard the end
	saying sync.Mutex
}

// silence is longer than a server lets a socket be without a ping, on a machine
// that may be busy.
const silence = 60 * time.Second

// dial opens a socket and hears its hello.
func dial(url, token string, netDial func(network, addr string) (net.Conn, error)) (*socket, error) {
	dialer := websocket.Dialer{
		Subprotocols: []string{"burble.v1"}, HandshakeTimeout: 20 * time.Second,
		NetDial: netDial, ReadBufferSize: 2048, WriteBufferSize: 512,
	}
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	conn, answer, err := dialer.Dial(strings.Replace(url, "http", "ws", 1)+"/ws", header)
	if err != nil {
		if answer != nil {
			err = fmt.Errorf("%w: %s", err, answer.Status)
		}
		return nil, err
	}
	s := &socket{conn: conn, gone: make(chan struct{})}
	conn.SetPingHandler(func(data string) error {
		conn.SetReadDeadline(time.Now().Add(silence))
		return conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(silence))
	})
	if hello, err := s.hear(); err != nil || hello.Type != "hello" || hello.Protocol != "burble.v1" {
		conn.Close()
		return nil, fmt.Errorf("want hello, got %+v: %w", hello, err)
	}
	return s, nil
}

// hear waits for the next frame.
func (s *socket) hear() (frame wireFrame, err error) {
	s.conn.SetReadDeadline(time.Now().Add(silence))
	err = s.conn.ReadJSON(&frame)
	return frame, err
}

func (s *socket) say(frame map[string]any) error {
	s.saying.Lock()
	defer s.saying.Unlock()
	s.conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
	return s.conn.WriteJSON(frame)
}

// cut ends the connection without a word, as a lost network does.
func (s *socket) cut() {
	if tcp, ok := s.conn.NetConn().(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	s.conn.NetConn().Close()
}

// chatter is a person with a good client: it follows one room, knows from each
// frame whether it has everything, keeps its place, comes back to any of the
// servers, and repeats a message under its key until it is stored.
type chatter struct {
	t       testing.TB
	servers []*process
	token   string
	room    string
	backoff time.Duration // the longest; 0: a second

	mu       sync.Mutex
	cursor   string // what a client keeps on disk
	entries  []wireEntry
	statuses []string // of Redis
	sockets  int      // opened so far
	closes   []int    // close codes
	now      *socket  // nil: not connected
	changed  chan struct{}
	answers  map[string]chan wireFrame // to sends, by key
}

// chat makes a chatter that is in the room until the test ends or ctx does.
func chat(ctx context.Context, t testing.TB, room, token string, servers ...*process) *chatter {
	c := &chatter{
		t: t, servers: servers, token: token, room: room, cursor: "0-0",
		changed: make(chan struct{}), answers: make(map[string]chan wireFrame),
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); c.run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return c
}

// run keeps the chatter connected.
func (c *chatter) run(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		server := c.servers[rand.N(len(c.servers))]
		if s, err := dial(server.url(), c.token, nil); err == nil {
			attempt = 0
			c.listen(ctx, s)
		}
		longest := time.Second
		if c.backoff > 0 {
			longest = c.backoff
		}
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(min(longest, 10*time.Millisecond<<min(attempt, 10)))):
		}
	}
}

// listen follows the room on one socket until it ends.
func (c *chatter) listen(ctx context.Context, s *socket) {
	hangUp := context.AfterFunc(ctx, s.cut)
	defer hangUp()
	defer s.cut()
	c.mu.Lock()
	cursor := c.cursor
	c.sockets++
	c.mu.Unlock()
	err := s.say(map[string]any{"type": "follow", "room": c.room, "after": cursor})
	for placed := false; err == nil; {
		var frame wireFrame
		if frame, err = s.hear(); err == nil {
			c.take(s, frame, &placed)
		}
	}
	close(s.gone)
	c.mu.Lock()
	defer c.mu.Unlock()
	if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
		c.closes = append(c.closes, closed.Code)
	}
	c.change(nil)
}

// take takes one frame. placed says whether the socket told where it goes on.
func (c *chatter) take(s *socket, frame wireFrame, placed *bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch frame.Type {
	case "followed":
		// Before a room begins its epoch is not known, so the IDs are compared.
		if *placed || frame.State != "resumed" || idOf(frame.At) != idOf(c.cursor) {
			c.t.Errorf("at %s (placed: %v) came followed %q at %s", c.cursor, *placed, frame.State, frame.At)
		}
		*placed, c.cursor = true, frame.At
		c.change(s)
	case "entries":
		if frame.After != c.cursor || !*placed {
			c.t.Errorf("the chain is broken: at %s (placed: %v) came (%s, %s]", c.cursor, *placed, frame.After, frame.Upto)
		}
		c.cursor = frame.Upto
		c.entries = append(c.entries, frame.Entries...)
	case "stored", "error":
		if answer := c.answers[frame.Key]; answer != nil {
			answer <- frame
			delete(c.answers, frame.Key)
		} else if frame.Type == "error" {
			c.t.Errorf("an error for nothing: %+v", frame)
		}
	case "status":
		c.statuses = append(c.statuses, frame.Redis)
	}
}

func idOf(cursor string) string {
	id, _, _ := strings.Cut(cursor, "@")
	return id
}

// change notes the socket to use now. The caller holds mu.
func (c *chatter) change(s *socket) {
	c.now = s
	close(c.changed)
	c.changed = make(chan struct{})
}

// connected waits for a socket that follows the room; nil when ctx ends first.
func (c *chatter) connected(ctx context.Context) *socket {
	for {
		c.mu.Lock()
		s, changed := c.now, c.changed
		c.mu.Unlock()
		if s != nil {
			return s
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// refusal is an error frame that asking again does not mend.
type refusal struct{ code string }

func (r refusal) Error() string { return "refused: " + r.code }

// send sends a message under a new key until it is stored.
func (c *chatter) send(ctx context.Context, text string) (id string, err error) {
	return c.sendUnder(ctx, uuid.NewString(), text)
}

// sendUnder sends a message under the key until it is stored, and returns its ID. A
// server has 20 s for each answer.
func (c *chatter) sendUnder(ctx context.Context, key, text string) (id string, err error) {
	for {
		s := c.connected(ctx)
		if s == nil {
			return "", ctx.Err()
		}
		answers := make(chan wireFrame, 1)
		c.mu.Lock()
		c.answers[key] = answers
		c.mu.Unlock()
		s.say(map[string]any{"type": "send", "room": c.room, "key": key, "text": text})
		select {
		case frame := <-answers:
			switch {
			case frame.Type == "stored":
				return frame.ID, nil
			case frame.Code != "rate_limited" && frame.Code != "unavailable":
				return "", refusal{frame.Code}
			}
			select {
			case <-time.After(min(time.Duration(frame.RetryAfter)*time.Millisecond, time.Second)):
			case <-ctx.Done():
			}
		case <-s.gone:
		case <-ctx.Done():
		case <-time.After(20 * time.Second):
			c.t.Errorf("no answer to a send for 20 s")
			return "", errors.New("no answer")
		}
	}
}

// has is how many entries the chatter has.
func (c *chatter) has() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// cut cuts the chatter's present connection, if there is one.
func (c *chatter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != nil {
		c.now.cut()
	}
}

// heard says whether the status of Redis was told, and how often sockets opened.
func (c *chatter) heard() (statuses []string, sockets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.statuses...), c.sockets
}
