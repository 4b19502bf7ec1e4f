//go:build unix

package browser

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
)

// wireFrame is a frame from the server: of each sort those fields that tests look at.
type wireFrame struct {
	Type, Protocol, Key, ID, Code, Message string
}

// socket is a WebSocket connection to a server. One goroutine may receive, any may send.
type socket struct {
	conn *websocket.Conn
	mu   sync.Mutex // held while a frame is written
}

// silence is longer than a server lets a connection be without a ping, on a busy machine.
const silence = 60 * time.Second

// dial opens a connection and receives its hello. Without a token it can only read.
func dial(url, token string) (*socket, error) {
	dialer := websocket.Dialer{
		Subprotocols: []string{"burble.v1"}, HandshakeTimeout: 20 * time.Second, ReadBufferSize: 2048, WriteBufferSize: 512,
	}
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	conn, response, err := dialer.Dial(strings.Replace(url, "http", "ws", 1)+"/ws", header)
	if err != nil {
		if response != nil {
			err = fmt.Errorf("%w: %s", err, response.Status)
		}
		return nil, err
	}
	s := &socket{conn: conn}
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

// say sends a frame.
func (s *socket) say(frame map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
	return s.conn.WriteJSON(frame)
}

// cut resets the connection, as a lost network does.
func (s *socket) cut() {
	if tcp, ok := s.conn.NetConn().(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	s.conn.NetConn().Close()
}
