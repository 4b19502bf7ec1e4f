//go:build unix

package chaos

import (
	"context"
	"math/rand/v2"
	"syscall"
	"time"

	"burble/app/chaos/check"
	"burble/streams/redistest"
)

// component is the part of the system that a fault affects. Each target of a component, such as
// one of the servers, has one fault at a time. Faults of different targets overlap.
type component string

const (
	serverProcess component = "server"
	clientNetwork component = "client network" // between clients and one server
	redisNetwork  component = "redis network"  // between one server and Redis
	redisProcess  component = "redis"          // Redis itself, and the rooms in it
	clients       component = "clients"
)

// fault is one kind of failure. inject causes it, and returns when it is repaired.
type fault struct {
	name   string
	on     component
	inject func(*injection)
}

// injection is one occurrence of a fault.
type injection struct {
	*phase
	target int           // which server or network
	lasts  time.Duration // how long the fault lasts, approximately
	random *rand.Rand
	ctx    context.Context // canceled when the fault must be repaired at once
}

// waitForEnd waits as long as the fault lasts.
func (i *injection) waitForEnd() { wait(i.ctx, i.lasts) }

// commonFaults returns the faults that are possible with every kind of Redis.
func commonFaults() []fault {
	faults := []fault{
		{"server killed", serverProcess, func(i *injection) {
			i.slots[i.target].process.kill()
			wait(i.ctx, i.lasts/2)
			i.launch(i.testCtx, i.slots[i.target])
		}},
		{"server stopped", serverProcess, func(i *injection) {
			process := i.slots[i.target].process.Process
			process.Signal(syscall.SIGSTOP)
			i.waitForEnd()
			process.Signal(syscall.SIGCONT)
		}},
		{"server drained and replaced", serverProcess, func(i *injection) { i.replace(i.slots[i.target]) }},

		{"connections to redis killed", redisProcess, func(i *injection) {
			i.onPrimaries(func(client redistest.Client) error {
				return client.ClientKillByFilter(context.Background(), "TYPE", "normal", "SKIPME", "yes").Err()
			})
		}},
		{"scripts flushed", redisProcess, func(i *injection) {
			i.onPrimaries(func(client redistest.Client) error { return client.ScriptFlush(context.Background()).Err() })
		}},
		{"redis full", redisProcess, func(i *injection) {
			i.setMaxMemory("1mb")
			i.waitForEnd()
			i.setMaxMemory("0")
		}},
		{"room trimmed", redisProcess, func(i *injection) { i.trimRoom(i.room("trimmed"), 1+i.random.IntN(60)) }},
		{"room deleted", redisProcess, func(i *injection) { i.deleteRoom(i.room("deleted")) }},

		{"clients disconnected", clientNetwork, func(i *injection) { i.slots[i.target].proxy.Cut() }},
		{"reconnect storm", clients, func(i *injection) {
			i.environment.ReconnectStorm(i.ctx, i.random, i.options.crowd, i.followers[0], i.safeRooms()[0])
		}},
	}
	toRedis := func(i *injection) *redistest.Proxy { return i.backend.networks()[i.target] }
	toClients := func(i *injection) *redistest.Proxy { return i.slots[i.target].proxy }
	faults = append(faults, networkFaults(redisNetwork, "network to redis", toRedis)...)
	return append(faults, networkFaults(clientNetwork, "network to clients", toClients)...)
}

// networkFaults returns the ways in which a network can fail.
func networkFaults(on component, name string, network func(*injection) *redistest.Proxy) (faults []fault) {
	for _, bad := range []struct {
		name   string
		faults redistest.Faults
	}{
		{"delayed", redistest.Faults{Delay: 60 * time.Millisecond}},
		{"cut within replies", redistest.Faults{Sever: 0.05}},
		{"cut before replies", redistest.Faults{Drop: 0.05}},
		{"half open", redistest.Faults{Stall: true}},
		{"swallows replies", redistest.Faults{Swallow: 0.02}},
	} {
		faults = append(faults, fault{name + " " + bad.name, on, func(i *injection) {
			proxy := network(i)
			proxy.SetFaults(bad.faults)
			i.waitForEnd()
			proxy.SetFaults(redistest.Faults{})
			if bad.faults.Swallow > 0 {
				proxy.Cut() // otherwise a connection that lost a reply would stay silent
			}
		}})
	}
	return faults
}

// replace starts a new server in the slot and drains the old one, like a rolling deploy.
func (p *phase) replace(s *slot) {
	old := s.process
	p.launch(p.testCtx, s)
	if !old.drain() {
		p.environment.Record.AddFinding(check.UncleanShutdown, "a server did not exit with code 0 in time")
	}
}

// setMaxMemory sets the memory limit of Redis. A low limit makes it full, and "0" removes the limit.
func (h *harness) setMaxMemory(limit string) {
	h.onPrimaries(func(client redistest.Client) error {
		return client.ConfigSet(context.Background(), "maxmemory", limit).Err()
	})
}

// flushFault returns a fault that removes all rooms. In a Cluster, it deletes each room, because
// a transaction cannot copy rooms of several slots.
func (h *harness) flushFault() fault {
	if h.options.redis == "cluster" {
		return fault{"every room deleted", redisProcess, func(i *injection) {
			for _, room := range i.rooms() {
				i.deleteRoom(room)
			}
		}}
	}
	return fault{"redis flushed", redisProcess, func(i *injection) { i.flush() }}
}
