//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// floor is what nobody can do better: a loop that makes a message, and writes it to
// each connection.
type floor struct {
	peer
	begin sync.Once

	mu    sync.Mutex
	conns [][]net.Conn // by room
}

func serveFloor(ctx context.Context, p peer, listener net.Listener) error {
	f := &floor{peer: p, conns: make([][]net.Conn, p.rooms)}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go f.serve(ctx, conn)
	}
}

// serve takes a connection in, and begins when it says something.
func (f *floor) serve(ctx context.Context, conn net.Conn) {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		conn.Close()
		return
	}
	room, err := strconv.Atoi(strings.TrimPrefix(request.URL.Query().Get("room"), roomName(0)[:len(roomName(0))-1]))
	if err != nil || room < 0 || room >= f.rooms {
		conn.Close()
		return
	}
	f.mu.Lock()
	conn.Write([]byte(switching))
	conn.Write(serverFrame([]byte(joinedText)))
	f.conns[room] = append(f.conns[room], conn)
	f.mu.Unlock()
	if n, _ := conn.Read(make([]byte, 64)); n > 0 {
		f.begin.Do(func() { f.run(ctx) })
	}
}

// run makes the messages.
func (f *floor) run(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := work{Rate: f.rate}
	frame := serverFrame([]byte(strings.Repeat("x", f.size)))
	text := frame[len(frame)-f.size:]
	began := time.Now()
	for i := range f.messages {
		if err := sleepUntil(ctx, began.Add(w.after(i))); err != nil {
			return err
		}
		room := i % f.rooms
		putMarker(text, marker{int64(room), int64(i/f.rooms + 1), time.Now().UnixMicro()})
		for _, conn := range f.conns[room] {
			if _, err := conn.Write(frame); err != nil {
				return errors.Join(errors.New("write to a client"), err)
			}
		}
	}
	return nil
}

// switching is the answer to upgrade's request, RFC 6455 section 4.2.2.
const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

// serverFrame makes a text frame from a server.
func serverFrame(payload []byte) []byte {
	frame := []byte{0x80 | opText, byte(len(payload))}
	if len(payload) > 125 {
		frame = []byte{0x80 | opText, 126, byte(len(payload) >> 8), byte(len(payload))}
	}
	return append(frame, payload...)
}
