//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
)

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
	return &server{protocol: p, Port: port, pids: []int{peer.pid()}, redisPIDs: r.pids, Stop: peer.kill}, nil
}

// launchFloor starts the floor, which makes the messages itself once a client sends anything.
func launchFloor(ctx context.Context, w workload, r *redisServer) (*server, error) {
	return launchPeer(ctx, "floor", w, r, &protocol{joined: joinedText},
		"-rooms", strconv.Itoa(w.Rooms), "-rate", strconv.Itoa(w.Rate), "-size", strconv.Itoa(w.Size),
		"-messages", strconv.Itoa(w.messages()))
}

// peerMessage returns the message of the tutorials.
func peerMessage(_ int, text, _ string) string {
	return `{"username":"Ada","text":"` + text + `"}`
}
