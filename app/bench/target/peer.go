//go:build linux

package target

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"burble/app/bench/load"
	"burble/app/bench/peers"
	"burble/app/bench/proc"
	"burble/app/bench/wire"
)

// launchPeer starts another process of this program, which runs a peer.
func launchPeer(ctx context.Context, name string, w load.Workload, r *proc.Redis, p *load.Protocol, args ...string) (*Server, error) {
	if w.Transport != load.WebSocket || w.Follow > 1 {
		return nil, fmt.Errorf("target %s supports only WebSockets and one room per client", name)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args = append([]string{"serve", name, "-redis", r.Socket, "-clients", strconv.Itoa(w.Clients)}, args...)
	peer, port, err := proc.StartServer(ctx, nil, self, args...)
	if err != nil {
		return nil, err
	}
	p.Request = func(_, room int) string { return wire.UpgradeRequest("/ws?room=" + wire.RoomName(room)) }
	p.Follow = func([]int) [][]byte { return nil }
	return &Server{protocol: p, Port: port, pids: []int{peer.PID()}, redisPIDs: r.PIDs, Stop: peer.Kill}, nil
}

// launchFloor starts the floor, which generates the messages itself once a client has sent anything.
func launchFloor(ctx context.Context, w load.Workload, r *proc.Redis) (*Server, error) {
	return launchPeer(ctx, "floor", w, r, &load.Protocol{JoinedText: peers.JoinedText},
		"-rooms", strconv.Itoa(w.Rooms), "-rate", strconv.Itoa(w.Rate), "-size", strconv.Itoa(w.Size),
		"-messages", strconv.Itoa(w.Messages()))
}

// peerMessage returns a message in the format of the tutorials that the peers follow.
func peerMessage(_ int, text, _ string) string {
	return `{"username":"Ada","text":"` + text + `"}`
}
