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

// target is a kind of server to measure.
type target struct {
	name   string
	launch func(ctx context.Context, b *bench, w workload, r *redisServer) (*server, error)
}

// server is a running target.
type server struct {
	protocol  *protocol // of the clients that receive
	sending   *protocol // of clients that only send; nil: the receiving ones send
	port      int
	pids      []int
	redisPids []int
	stop      func()
}

var targets = []target{
	{"burble", launchBurble},
	{"floor", launchFloor},
	{"hub", launchHub},
	{"xread", launchXRead},
	{"centrifugo", launchCentrifugo},
}

// findTargets returns the targets with these names, which are separated by commas.
func findTargets(names string) (found []target, err error) {
	for name := range strings.SplitSeq(names, ",") {
		before := len(found)
		for _, t := range targets {
			if t.name == name {
				found = append(found, t)
			}
		}
		if len(found) == before {
			return nil, fmt.Errorf("unknown target %q", name)
		}
	}
	return found, nil
}

// launchPeer starts this program again as one of the peers.
func launchPeer(ctx context.Context, name string, w workload, r *redisServer, p *protocol, args ...string) (*server, error) {
	if w.Transport != webSocket || w.Follow > 1 {
		return nil, fmt.Errorf("target %s supports only WebSockets that follow one room each", name)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args = append([]string{"serve", name, "-redis", r.socket, "-clients", strconv.Itoa(w.Clients)}, args...)
	peer, port, err := startServer(ctx, nil, self, args...)
	if err != nil {
		return nil, err
	}
	p.request = func(_, room int) string { return upgradeRequest("/ws?room=" + roomName(room)) }
	p.follow = func([]int) [][]byte { return nil }
	return &server{protocol: p, port: port, pids: []int{peer.pid()}, redisPids: r.pids, stop: peer.kill}, nil
}

// launchFloor starts the floor, which makes the messages itself once a client sends anything.
func launchFloor(ctx context.Context, _ *bench, w workload, r *redisServer) (*server, error) {
	return launchPeer(ctx, "floor", w, r, &protocol{joined: joinedText},
		"-rooms", strconv.Itoa(w.Rooms), "-rate", strconv.Itoa(w.Rate), "-size", strconv.Itoa(w.Size),
		"-messages", strconv.Itoa(w.messages()))
}

func launchHub(ctx context.Context, _ *bench, w workload, r *redisServer) (*server, error) {
	return launchPeer(ctx, "hub", w, r, &protocol{joined: joinedText, message: peerMessage})
}

func launchXRead(ctx context.Context, _ *bench, w workload, r *redisServer) (*server, error) {
	return launchPeer(ctx, "xread", w, r, &protocol{joined: joinedText, message: peerMessage})
}

func peerMessage(_ int, text, _ string) string {
	return `{"username":"Ada","text":"` + text + `"}`
}

// launchCentrifugo uses a running Centrifugo, whose channels anyone may subscribe and publish to.
// Its protocol: https://centrifugal.dev/docs/transports/client_protocol
func launchCentrifugo(_ context.Context, b *bench, w workload, _ *redisServer) (*server, error) {
	if b.centrifugo.port == 0 {
		return nil, errors.New("target centrifugo needs -centrifugo, the port of a running one")
	}
	if w.Transport != webSocket {
		return nil, errors.New("target centrifugo supports only WebSockets")
	}
	p := &protocol{
		request: func(_, _ int) string { return upgradeRequest("/connection/websocket") },
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
		redisPids: b.centrifugo.redisPids, stop: func() {}}, nil
}
