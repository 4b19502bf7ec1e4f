//go:build linux

package target

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"burble/app/bench/load"
	"burble/app/bench/peers"
	"burble/app/bench/proc"
)

// targets lists the names of all targets.
var targets = []string{"burble", "floor", "hub", "xread", "centrifugo"}

// Parse returns the names in a comma-separated list. It returns an error for unknown names.
func Parse(list string) ([]string, error) {
	names := strings.Split(list, ",")
	for _, name := range names {
		if !slices.Contains(targets, name) {
			return nil, fmt.Errorf("unknown target %q", name)
		}
	}
	return names, nil
}

// Launcher starts targets.
type Launcher struct {
	Burble     Burble
	Centrifugo Centrifugo
}

// Launch starts a target for the workload, with r as its Redis. The caller must call Stop.
func (l *Launcher) Launch(ctx context.Context, name string, w load.Workload, r *proc.Redis) (*Server, error) {
	switch name {
	case "burble":
		return l.Burble.Launch(ctx, w, r)
	case "floor":
		return launchFloor(ctx, w, r)
	case "hub", "xread":
		return launchPeer(ctx, name, w, r, &load.Protocol{JoinedText: peers.JoinedText, Message: peerMessage})
	case "centrifugo":
		return l.Centrifugo.connect(w)
	}
	return nil, fmt.Errorf("unknown target %q", name)
}

// Server is a running target.
type Server struct {
	Port int
	Stop func()

	protocol     *load.Protocol // of clients that receive
	sendProtocol *load.Protocol // of clients that only send; nil if the receiving clients also send
	pids         []int
	redisPIDs    []int
}

// Load connects the clients of the workload and makes them follow their rooms.
func (s *Server) Load(ctx context.Context, w load.Workload) (*load.Load, error) {
	return load.Open(ctx, s.Port, s.protocol, s.sendProtocol, w)
}

// Swarm returns unconnected clients that only receive.
func (s *Server) Swarm(w load.Workload, count int) *load.Swarm {
	return load.NewSwarm(s.Port, s.protocol, w, count)
}

// Sample returns the resource usage of the server, its Redis and the bench so far.
func (s *Server) Sample(ctx context.Context, r *proc.Redis) (proc.Sample, error) {
	return proc.TakeSample(ctx, s.pids, s.redisPIDs, r)
}

// Resident returns the resident memory (RSS) of the server in bytes.
func (s *Server) Resident() (int64, error) { return proc.ResidentBytes(s.pids) }
