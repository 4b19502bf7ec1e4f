// Package conns manages a server's connections to Redis. It limits their number because Redis
// hosts charge for connections, and during a deploy, two releases run side by side.
//
// A server's [Set] opens at most [MaxPerRedis] connections to a single Redis, or to the primary that
// Sentinel reports, regardless of the number of clients. In a Redis Cluster, it opens at most
// MaxPerRedis-1 to each primary. In addition, each blocking command has its own connection to
// the primary that stores its keys. Package streams needs 16 of these. To find the primary, each of
// the three pools opens two more connections to a Sentinel. In a Cluster, each pool instead
// opens one extra connection at a time, to any node, even a replica.
//
//	set := conns.New(conns.Options{Redis: &conns.Address{Addrs: []string{"localhost:6379"}}})
//	defer set.Close()
//	got, err := conns.Do(ctx, set, 1, func(pipe redis.Pipeliner) *redis.StringCmd {
//		return pipe.HGet(ctx, "user:7", "name") // sent together with the commands of concurrent callers
//	})
//
// A Set is safe for concurrent use.
package conns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// MaxRetrying and maxUnretried are the sizes of two of a Set's pools.
	MaxRetrying  = 3
	maxUnretried = 2

	// MaxPerRedis is the maximum number of a Set's connections to one Redis, including the blocking
	// one. A server has one Set for all its packages.
	MaxPerRedis = MaxRetrying + maxUnretried + 1

	retries   = 3
	noRetries = -1
)

// Options configure a Set.
type Options struct {
	Redis *Address
	// Stream is the key of a stream that the Redis user may trim. See [RequirePrimary].
	Stream string
	// Blocking is the maximum number of commands that block at the same time. 0 means 1.
	Blocking int
	// Replicate makes [Set.Durable] wait until a replica has the writes.
	Replicate bool
}

// A Client sends commands over one connection, or over those of a pool.
//
// It is an interface because each package that sees a client of go-redis, even in a field of another package's type,
// takes two seconds longer to compile. So does each package that converts one to this interface, or an interface back to
// one. Except for the peers of the bench, only package conns does.
type Client interface {
	redis.Cmdable
	io.Closer
	Do(ctx context.Context, args ...any) *redis.Cmd
}

// Connect returns a client for tests and tools, which sends each command once. The caller must close it.
func Connect(a *Address) Client {
	options := universalOptions(a)
	options.MaxRetries, options.DialerRetries, options.DisableIdentity = -1, 1, true
	return redis.NewUniversalClient(options)
}

// Set holds one server's connections to one Redis, in three pools for different kinds of commands.
type Set struct {
	// Retrying is for reads, and for writes that may be repeated. go-redis retries them.
	Retrying Client
	// Unretried is for writes that only the caller may retry. go-redis never retries them.
	Unretried Client
	// Blocking is for commands that block, so that they do not delay other commands.
	Blocking Client

	pipeline  *sharedPipeline // over Retrying
	replicate bool
	discovery sync.Mutex // see BlockingConn

	durableMu sync.Mutex
	durable   map[Client]*sharedPipeline // by server; over Retrying
}

// New returns a Set, which connects on first use. The caller must close it.
func New(options Options) *Set {
	s := &Set{
		Retrying:  newClient(options, MaxRetrying, retries),
		Unretried: newClient(options, maxUnretried, noRetries),
		Blocking:  newClient(options, max(1, options.Blocking), noRetries),
		replicate: options.Replicate,
		durable:   make(map[Client]*sharedPipeline),
	}
	s.pipeline = &sharedPipeline{client: s.Retrying, isCluster: options.Redis.InCluster(), maxRunning: maxPipelines}
	return s
}

// Close closes all connections. Blocking commands return an error.
func (s *Set) Close() error {
	err := errors.Join(s.Retrying.Close(), s.Unretried.Close())
	if closed := s.CloseBlocking(); !errors.Is(closed, redis.ErrClosed) {
		err = errors.Join(err, closed)
	}
	return err
}

// CloseBlocking ends the blocking commands. A blocked read ignores its context (go-redis #2276).
func (s *Set) CloseBlocking() error { return s.Blocking.Close() }

// newClient returns a client with at most size connections to each Redis server.
func newClient(options Options, size, retries int) redis.UniversalClient {
	own := universalOptions(options.Redis)
	own.PoolSize, own.MaxActiveConns = size, size
	own.PipelinePoolSize = -1 // otherwise go-redis opens a second pool of ten connections
	own.MaxRetries = retries
	own.MaxRetryBackoff = 100 * time.Millisecond
	own.ContextTimeoutEnabled = true
	own.DialTimeout = connectTimeout
	own.DialerRetries = 1
	own.ReadTimeout, own.WriteTimeout = 3*time.Second, 3*time.Second
	own.PoolTimeout = 4 * time.Second
	own.ConnMaxIdleTime = 4 * time.Minute // Heroku drops idle connections after five
	own.DisableIdentity = true
	own.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if own.MasterName != "" {
		skipHungSentinels(own)
	}
	if !options.Redis.InCluster() { // in a Cluster, go-redis also connects to replicas to look up the slots
		own.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
			return RequirePrimary(ctx, conn, options.Stream)
		}
	}
	client := redis.NewUniversalClient(own)
	if cluster, ok := client.(*redis.ClusterClient); ok {
		cluster.OnNewNode(func(node *redis.Client) {
			node.AddHook(reloader{cluster})
			node.AddHook(refusalHook{})
		})
	} else {
		client.AddHook(refusalHook{})
	}
	return client
}

// RequirePrimary returns an error if the connection is to a replica. A replica lags behind its
// primary, and a former primary will soon discard its own history.
func RequirePrimary(ctx context.Context, conn redis.Cmdable, stream string) error {
	// Only a primary accepts writes. This write removes nothing.
	err := conn.XTrimMaxLenApprox(ctx, stream, math.MaxInt64, 0).Err()
	if IsReply(err, "READONLY ", "MOVED ") {
		return fmt.Errorf("not a primary: %w", err)
	}
	return nil
}

// Node returns a client for the server that has the key. The client for a whole Cluster would
// spread a pipeline over several servers and connections, and silently follow the key when it moves
// to another server.
func Node(ctx context.Context, client Client, key string) (Client, error) {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		node, err := cluster.MasterForKey(ctx, key)
		if err != nil {
			return nil, err
		}
		return node, nil
	}
	return client, nil
}

// ForEachPrimary calls do with the address and a client of each primary, of several at the same time in a Cluster.
func ForEachPrimary(ctx context.Context, client Client, do func(ctx context.Context, address string, node Client) error) error {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			return do(ctx, node.Options().Addr, node)
		})
	}
	return do(ctx, "", client)
}

// BlockingConn returns a connection for blocking commands to the server that has the key. If several callers call it at
// the same time, only the first looks up a Cluster's slots. Otherwise each of them would open a connection for the
// lookup in addition to the one for its blocking command.
func (s *Set) BlockingConn(ctx context.Context, key string) (Client, error) {
	s.discovery.Lock()
	defer s.discovery.Unlock()
	node, err := Node(ctx, s.Blocking, key)
	if err != nil {
		return nil, err
	}
	return node.(*redis.Client).EphemeralConn(), nil
}

// IsReply reports whether err is an error reply from Redis that starts with one of the prefixes.
func IsReply(err error, prefixes ...string) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return false
	}
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(reply.Error(), prefix) })
}

// IsFull reports whether Redis refused a write for lack of memory or disk space. Upstash uses the
// second prefix.
func IsFull(err error) bool {
	switch {
	case IsReply(err, "OOM ", "ERR DB capacity quota exceeded"):
		return true
	case IsReply(err, "MISCONF Errors writing to the AOF file"):
		return strings.Contains(err.Error(), "No space left") || strings.Contains(err.Error(), "quota exceeded")
	}
	// Redis does not report why a snapshot failed. The usual reason is too little disk space, or too
	// little memory for the process that writes the snapshot.
	return IsReply(err, "MISCONF ")
}
