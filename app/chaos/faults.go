//go:build unix

package chaos

import (
	"context"
	"math/rand/v2"
	"syscall"
	"time"

	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// A lane is a thing that faults happen to. On one thing there is one at a time; on
// different ones they meet.
type lane string

const (
	serverLane lane = "server"  // a process of Burble
	edgeLane   lane = "edge"    // the network between clients and one server
	linkLane   lane = "network" // the network between one server and Redis
	redisLane  lane = "redis"   // Redis, and the rooms in it
	crowdLane  lane = "crowd"
)

// fault is one way to do harm. It does not return before the harm is mended.
type fault struct {
	name string
	lane lane
	do   func(*blow)
}

// blow is a fault that happens.
type blow struct {
	*world
	target int           // which server or network
	lasts  time.Duration // about how long
	random *rand.Rand
	ctx    context.Context // ends when the harm is to be mended at once
}

// rest waits while the harm lasts.
func (b *blow) rest() { b.wait(b.ctx, b.lasts) }

// commonFaults happen in every topology.
func commonFaults() []fault {
	faults := []fault{
		{"server killed", serverLane, func(b *blow) {
			b.slots[b.target].burble.kill()
			b.wait(b.ctx, b.lasts/2)
			b.launch(b.life, b.slots[b.target])
		}},
		{"server stopped", serverLane, func(b *blow) {
			process := b.slots[b.target].burble.Process
			process.Signal(syscall.SIGSTOP)
			b.rest()
			process.Signal(syscall.SIGCONT)
		}},
		{"server drained and replaced", serverLane, func(b *blow) { b.replace(b.slots[b.target]) }},

		{"connections to redis killed", redisLane, func(b *blow) {
			b.onPrimaries(func(client *redis.Client) error {
				return client.ClientKillByFilter(context.Background(), "TYPE", "normal", "SKIPME", "yes").Err()
			})
		}},
		{"scripts flushed", redisLane, func(b *blow) {
			b.onPrimaries(func(client *redis.Client) error { return client.ScriptFlush(context.Background()).Err() })
		}},
		{"redis full", redisLane, func(b *blow) {
			b.limitMemory("1mb")
			b.rest()
			b.limitMemory("0")
		}},
		{"room trimmed", redisLane, func(b *blow) { b.trimRoom(b.room("trimmed"), 1+b.random.IntN(60)) }},
		{"room deleted", redisLane, func(b *blow) { b.deleteRoom(b.room("deleted")) }},

		{"clients cut off", edgeLane, func(b *blow) { b.slots[b.target].edge.Cut() }},
		{"a crowd comes back", crowdLane, func(b *blow) { b.crowd(b.ctx, b.random) }},
	}
	link := func(b *blow) *redistest.Proxy { return b.backend.networks()[b.target] }
	edge := func(b *blow) *redistest.Proxy { return b.slots[b.target].edge }
	faults = append(faults, networkFaults(linkLane, "network to redis", link)...)
	return append(faults, networkFaults(edgeLane, "network to clients", edge)...)
}

// networkFaults are the ways in which a network fails.
func networkFaults(lane lane, name string, network func(*blow) *redistest.Proxy) (faults []fault) {
	for _, bad := range []struct {
		name    string
		weather redistest.Weather
	}{
		{"delayed", redistest.Weather{Delay: 60 * time.Millisecond}},
		{"cut within replies", redistest.Weather{Sever: 0.05}},
		{"cut before replies", redistest.Weather{Lose: 0.05}},
		{"half open", redistest.Weather{Hold: true}},
		{"swallows replies", redistest.Weather{Swallow: 0.02}},
	} {
		faults = append(faults, fault{name + " " + bad.name, lane, func(b *blow) {
			proxy := network(b)
			proxy.Suffer(bad.weather)
			b.rest()
			proxy.Suffer(redistest.Weather{})
			if bad.weather.Swallow > 0 {
				proxy.Cut() // what has lost replies would be deaf for ever
			}
		}})
	}
	return faults
}

// replace puts a new server in the place of one, as a rolling deploy does.
func (w *world) replace(s *slot) {
	old := s.burble
	w.launch(w.life, s)
	if !old.drain() {
		w.record.odd(unclean, "a server did not end in good order")
	}
}

// limitMemory makes Redis full, or not.
func (w *world) limitMemory(most string) {
	w.onPrimaries(func(client *redis.Client) error {
		return client.ConfigSet(context.Background(), "maxmemory", most).Err()
	})
}

// flushFault leaves nothing. It has an act of its own. (A Cluster has no transaction
// over several slots, in which the rooms could be copied and flushed.)
func (w *world) flushFault() fault {
	if w.options.redis == "cluster" {
		return fault{"every room deleted", redisLane, func(b *blow) {
			for _, room := range b.rooms() {
				b.deleteRoom(room)
			}
		}}
	}
	return fault{"redis flushed", redisLane, func(b *blow) { b.flush() }}
}
