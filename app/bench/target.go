//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// target is a sort of server that is measured.
type target struct {
	name   string
	launch func(context.Context, *bench, work, *redisServer) (*server, error)
}

// server is a target that runs.
type server struct {
	protocol  *protocol // of those who read
	speaking  *protocol // of those who only speak; nil: readers speak
	port      int
	pids      []int
	redisPids []int
	end       func()
}

var targets = []target{
	{"burble", launchBurble},
	{"floor", launchFloor},
	{"hub", launchHub},
	{"xread", launchXRead},
	{"centrifugo", launchCentrifugo},
}

func findTargets(names string) (found []target, err error) {
	for name := range strings.SplitSeq(names, ",") {
		known := len(found)
		for _, t := range targets {
			if t.name == name {
				found = append(found, t)
			}
		}
		if len(found) == known {
			return nil, fmt.Errorf("there is no target %q", name)
		}
	}
	return found, nil
}

// launchPeer starts this program again, as one of the peers.
func launchPeer(ctx context.Context, name string, w work, r *redisServer, p *protocol, args ...string) (*server, error) {
	if w.Transport != webSocket || w.Follow > 1 {
		return nil, fmt.Errorf("%s has WebSockets that follow one room each, and nothing else", name)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args = append([]string{"serve", name, "-redis", r.socket, "-clients", strconv.Itoa(w.Clients)}, args...)
	c, port, err := startServer(ctx, nil, self, args...)
	if err != nil {
		return nil, err
	}
	p.request = func(_, room int) string { return upgrade("/ws?room=" + roomName(room)) }
	p.follow = func([]int) [][]byte { return nil }
	return &server{protocol: p, port: port, pids: []int{c.pid()}, redisPids: r.pids, end: c.kill}, nil
}

// launchFloor starts the floor, which makes the messages itself, and begins when
// somebody says something.
func launchFloor(ctx context.Context, _ *bench, w work, r *redisServer) (*server, error) {
	return launchPeer(ctx, "floor", w, r, &protocol{joined: joinedText},
		"-rooms", strconv.Itoa(w.Rooms), "-rate", strconv.Itoa(w.Rate), "-size", strconv.Itoa(w.Size),
		"-messages", strconv.Itoa(w.messages()))
}

func launchHub(ctx context.Context, _ *bench, w work, r *redisServer) (*server, error) {
	return launchPeer(ctx, "hub", w, r, &protocol{joined: joinedText, message: peerMessage})
}

func launchXRead(ctx context.Context, _ *bench, w work, r *redisServer) (*server, error) {
	return launchPeer(ctx, "xread", w, r, &protocol{joined: joinedText, message: peerMessage})
}

func peerMessage(_ int, text, _ string) string {
	return `{"username":"Ada","text":"` + text + `"}`
}

// launchCentrifugo finds one that runs, whose channels anyone may subscribe and publish
// to. Its protocol: https://centrifugal.dev/docs/transports/client_protocol
func launchCentrifugo(_ context.Context, b *bench, w work, _ *redisServer) (*server, error) {
	if b.centrifugo.port == 0 {
		return nil, errors.New("-centrifugo says on which port one listens")
	}
	if w.Transport != webSocket {
		return nil, errors.New("centrifugo is spoken to by WebSocket here")
	}
	p := &protocol{
		request: func(_, _ int) string { return upgrade("/connection/websocket") },
		follow: func(rooms []int) [][]byte {
			first, _ := clientFrame(opText, []byte(`{"id":1,"connect":{}}`))
			frames := [][]byte{first}
			for i, room := range rooms {
				frame, _ := clientFrame(opText, fmt.Appendf(nil, `{"id":%d,"subscribe":{"channel":"%s"}}`, i+2, roomName(room)))
				frames = append(frames, frame)
			}
			return frames
		},
		joined:  `"subscribe":{`,
		refused: `"error":{"code"`,
		message: func(room int, text, _ string) string {
			return fmt.Sprintf(`{"id":9,"publish":{"channel":"%s","data":{"text":"%s"}}}`, roomName(room), text)
		},
	}
	return &server{protocol: p, port: b.centrifugo.port, pids: b.centrifugo.pids,
		redisPids: b.centrifugo.redisPids, end: func() {}}, nil
}
