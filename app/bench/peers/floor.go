//go:build linux

package peers

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

	"burble/app/bench/load"
	"burble/app/bench/wire"
)

// floor is the lower bound, a loop that generates messages and writes each one to every connection
// in its room. It does not use Redis, and parses only the HTTP request.
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

// serve adds a connection to its room. The first data from any connection starts the messages.
func (f *floor) serve(ctx context.Context, conn net.Conn) {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		conn.Close()
		return
	}
	room, err := strconv.Atoi(strings.TrimPrefix(request.URL.Query().Get("room"), wire.RoomPrefix))
	if err != nil || room < 0 || room >= f.rooms {
		conn.Close()
		return
	}
	f.mu.Lock()
	conn.Write([]byte(wire.UpgradeResponse))
	conn.Write(wire.ServerFrame([]byte(JoinedText)))
	f.conns[room] = append(f.conns[room], conn)
	f.mu.Unlock()
	if n, _ := conn.Read(make([]byte, 64)); n > 0 {
		f.begin.Do(func() { f.sendAll(ctx) })
	}
}

// sendAll generates and writes the messages.
func (f *floor) sendAll(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := load.Workload{Rate: f.rate}
	frame := wire.ServerFrame([]byte(strings.Repeat("x", f.size)))
	text := frame[len(frame)-f.size:]
	began := time.Now()
	for i := range f.messages {
		if err := load.SleepUntil(ctx, began.Add(w.SendTime(i))); err != nil {
			return err
		}
		room := i % f.rooms
		wire.PutMarker(text, wire.Marker{Sequence: int64(room), Number: int64(i/f.rooms + 1), Micros: time.Now().UnixMicro()})
		for _, conn := range f.conns[room] {
			if _, err := conn.Write(frame); err != nil {
				return errors.Join(errors.New("write to a client"), err)
			}
		}
	}
	return nil
}
