package client_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"burble/app/client"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// The tests in this package use a fake server, because it must misbehave.

const hello = `{"type":"hello","protocol":"burble.v1","user":{"id":"5d0f61a4","name":"Ada"},"durability":"memory","limits":{"text":4000},"time":1732281606000}`

// fake is the server side of one WebSocket.
type fake struct {
	t       *testing.T
	conn    net.Conn
	request *http.Request
}

// serve starts a fake server. It runs the scripts in turn, one for each WebSocket, and the last one for
// all further WebSockets.
func serve(t *testing.T, scripts ...func(*fake)) *client.Server {
	t.Helper()
	turns := make(chan func(*fake), len(scripts))
	for _, script := range scripts[:len(scripts)-1] {
		turns <- script
	}
	return serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		upgrader := ws.HTTPUpgrader{Protocol: func(name string) bool { return name == client.Protocol }}
		conn, _, _, err := upgrader.Upgrade(r, w)
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		f := &fake{t, conn, r}
		f.write(hello)
		select {
		case script := <-turns:
			script(f)
		default:
			scripts[len(scripts)-1](f)
		}
	})
}

// serveHTTP starts a fake server with the handler.
func serveHTTP(t *testing.T, handler http.HandlerFunc) *client.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &client.Server{URL: server.URL, Token: "1.5d0f61a4.QWRh"}
}

// write writes a frame of the protocol. It ignores errors, because the client may have disconnected.
func (f *fake) write(text string) { wsutil.WriteServerText(f.conn, []byte(text)) }

// close writes a close frame.
func (f *fake) close(code ws.StatusCode, reason string) {
	wsutil.WriteServerMessage(f.conn, ws.OpClose, ws.NewCloseFrameBody(code, reason))
}

// want checks the client's next frame.
func (f *fake) want(text string) {
	if got := f.read(); got != text {
		f.t.Errorf("the client sent %s, want %s", got, text)
	}
}

// read returns the client's next frame, or "" if the connection has ended.
func (f *fake) read() string {
	text, err := wsutil.ReadClientText(f.conn)
	if err != nil {
		return ""
	}
	return string(text)
}

// readFrame returns the client's next frame of any kind, unmasked.
func (f *fake) readFrame() (header ws.Header, payload []byte) {
	header, err := ws.ReadHeader(f.conn)
	if err == nil {
		payload = make([]byte, header.Length)
		_, err = io.ReadFull(f.conn, payload)
	}
	if err != nil {
		f.t.Error(err)
	}
	if header.Masked {
		ws.Cipher(payload, header.Mask, 0)
	}
	return header, payload
}

// idle waits until the client disconnects.
func (f *fake) idle() {
	for f.read() != "" {
	}
}

// dial connects to the server until the test ends.
func dial(t *testing.T, server *client.Server, follows ...client.Follow) *client.Socket {
	t.Helper()
	socket, err := server.Dial(t.Context(), follows...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(socket.Cut)
	return socket
}
