//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// targets are the names of the servers that can be measured.
var targets = []string{"burble", "floor", "hub", "xread", "centrifugo"}

// parseTargets returns the names in a list separated by commas.
func parseTargets(list string) ([]string, error) {
	names := strings.Split(list, ",")
	for _, name := range names {
		if !slices.Contains(targets, name) {
			return nil, fmt.Errorf("unknown target %q", name)
		}
	}
	return names, nil
}

// launcher has what it takes to start each target.
type launcher struct {
	Burble     burble
	Centrifugo centrifugo
}

// launch starts a target for a workload, on a Redis. The caller must call Stop.
func (l *launcher) launch(ctx context.Context, name string, w workload, r *redisServer) (*server, error) {
	switch name {
	case "burble":
		return l.Burble.launch(ctx, w, r)
	case "floor":
		return launchFloor(ctx, w, r)
	case "hub", "xread":
		return launchPeer(ctx, name, w, r, &protocol{joined: joinedText, message: peerMessage})
	case "centrifugo":
		return l.Centrifugo.use(w)
	}
	return nil, fmt.Errorf("unknown target %q", name)
}

// server is a running target.
type server struct {
	Port int
	Stop func()

	protocol  *protocol // of the clients that receive
	sending   *protocol // of clients that only send; nil: the receiving ones send
	pids      []int
	redisPIDs []int
}

// openLoad opens the clients of a workload, and has them follow their rooms.
func (s *server) openLoad(ctx context.Context, w workload) (*load, error) {
	return openLoad(ctx, s.Port, s.protocol, s.sending, w)
}

// newSwarm returns unconnected clients that only receive.
func (s *server) newSwarm(w workload, count int) *swarm {
	return newSwarm(s.Port, s.protocol, w, count)
}

// sample returns what the server, its Redis and the bench have used so far.
func (s *server) sample(ctx context.Context, r *redisServer) (sample, error) {
	return takeSample(ctx, s.pids, s.redisPIDs, r)
}

// resident returns the resident memory (RSS) of the server in bytes.
func (s *server) resident() (int64, error) { return residentBytes(s.pids) }
