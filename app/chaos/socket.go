package chaos

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
)

// silence is longer than any server is silent: it pings every 20 s.
const silence = 60 * time.Second

// wish is where a client wants to begin in a room.
type wish struct {
	room  string
	after cursor
	fresh bool // then the newest last
	last  int
}

// listen follows rooms at an address until the connection ends, and gives what it
// is told to hear. There are three ways to do it.
type listen func(ctx context.Context, addr, token string, wishes []wish, hear func(*frame) error) error

var ways = map[string]listen{"websocket": onSocket, "sse": inEvents, "ndjson": inLines}

// socket is a WebSocket. One goroutine hears, any may say.
type socket struct {
	conn   *websocket.Conn
	saying sync.Mutex
}

func dialSocket(ctx context.Context, addr, token string) (*socket, error) {
	dialer := websocket.Dialer{
		Subprotocols: []string{"burble.v1"}, HandshakeTimeout: 10 * time.Second,
		NetDialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, ReadBufferSize: 2048, WriteBufferSize: 512,
	}
	conn, _, err := dialer.DialContext(ctx, "ws://"+addr+"/ws", http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn}
	conn.SetPingHandler(func(data string) error {
		return conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(silence))
	})
	if hello, err := s.hear(silence); err != nil || hello.Type != "hello" || hello.Protocol != "burble.v1" {
		s.cut()
		return nil, fmt.Errorf("want hello, got %+v: %w", hello, err)
	}
	return s, nil
}

func (s *socket) hear(within time.Duration) (f frame, err error) {
	s.conn.SetReadDeadline(time.Now().Add(within))
	return f, s.conn.ReadJSON(&f)
}

func (s *socket) say(what map[string]any) error {
	s.saying.Lock()
	defer s.saying.Unlock()
	s.conn.SetWriteDeadline(time.Now().Add(silence))
	return s.conn.WriteJSON(what)
}

// cut ends the connection without a word, as a lost network does.
func (s *socket) cut() { s.conn.NetConn().Close() }

func onSocket(ctx context.Context, addr, token string, wishes []wish, hear func(*frame) error) error {
	s, err := dialSocket(ctx, addr, token)
	if err != nil {
		return err
	}
	defer s.cut()
	defer context.AfterFunc(ctx, s.cut)()
	for _, w := range wishes {
		follow := map[string]any{"type": "follow", "room": w.room, "after": w.after.String()}
		if w.fresh {
			follow = map[string]any{"type": "follow", "room": w.room, "last": w.last}
		}
		if err := s.say(follow); err != nil {
			return err
		}
	}
	for {
		f, err := s.hear(silence)
		if err == nil {
			err = hear(&f)
		}
		if err != nil {
			return err
		}
	}
}
