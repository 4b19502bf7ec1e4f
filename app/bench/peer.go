//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// The peers are what Burble is compared with. Each is a process of its own: this
// program, started with "serve" and the peer's name.

// joinedText is what a peer says to a client that will get everything from now on.
const joinedText = "joined"

// peer is what a peer is told.
type peer struct {
	redis    string
	clients  int
	rooms    int
	rate     int
	size     int
	messages int
}

var peers = map[string]func(context.Context, peer, net.Listener) error{
	"floor": serveFloor, "hub": serveHub, "xread": serveXRead,
}

// serve runs a peer until it is killed.
func serve(ctx context.Context, args []string) error {
	if len(args) == 0 || peers[args[0]] == nil {
		return fmt.Errorf("serve what? %q", args)
	}
	var p peer
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.StringVar(&p.redis, "redis", "", "Unix `socket` of Redis")
	flags.IntVar(&p.clients, "clients", 0, "connections that will come")
	flags.IntVar(&p.rooms, "rooms", 1, "")
	flags.IntVar(&p.rate, "rate", 0, "messages a second")
	flags.IntVar(&p.size, "size", 0, "bytes of a message")
	flags.IntVar(&p.messages, "messages", 0, "how many")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())
	return peers[args[0]](ctx, p, listener)
}

// store is the peer's client of Redis, with as many connections as it needs.
func (p peer) store(connections int) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: p.redis, PoolSize: connections, DisableIdentity: true, PoolTimeout: time.Minute,
	})
}
