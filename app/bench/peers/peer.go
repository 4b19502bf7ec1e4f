//go:build linux

package peers

import (
	"context"
	"flag"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// JoinedText is the text that a peer sends to a client that has joined. The client receives every later
// message.
const JoinedText = "joined"

// peer holds the command-line options of a peer. Not every kind of peer uses all of them.
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

// Serve is the main function of a peer. args are its name and its flags. It prints the address on
// which it listens, and runs until it is killed.
func Serve(ctx context.Context, args []string) error {
	if len(args) == 0 || peers[args[0]] == nil {
		return fmt.Errorf("serve: unknown peer in %q", args)
	}
	var p peer
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.StringVar(&p.redis, "redis", "", "Redis Unix `socket`")
	flags.IntVar(&p.clients, "clients", 0, "expected connections")
	flags.IntVar(&p.rooms, "rooms", 1, "rooms")
	flags.IntVar(&p.rate, "rate", 0, "floor: messages per second")
	flags.IntVar(&p.size, "size", 0, "floor: message size in bytes")
	flags.IntVar(&p.messages, "messages", 0, "floor: number of messages")
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

// redisClient returns a client of the peer's Redis with a pool of connections.
func (p peer) redisClient(connections int) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: p.redis, PoolSize: connections, DisableIdentity: true, PoolTimeout: time.Minute,
	})
}
