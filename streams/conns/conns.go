// Package conns makes a server's connections to Redis and keeps them few: Redis
// hosts sell connections, and two releases run side by side during a deploy.
//
// However many clients a server has, its [Set] makes at most [MaxPerRedis] connections
// to a single Redis, or to the primary that Sentinel names. In a Redis Cluster it makes
// at most MaxPerRedis-1 to each primary, and besides these one for each command that
// blocks, wherever its keys live: 16 in all for package streams. Finding the primary
// takes a few more: two to a Sentinel for each of the three pools, or one at a time
// for each pool to any node of a Cluster, replicas included.
//
// A Set may be used from many goroutines at once.
package conns

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// MaxRetrying and maxUnretried are the sizes of two of a Set's pools.
	MaxRetrying  = 3
	maxUnretried = 2

	// MaxPerRedis is the most connections that a Set makes to one Redis, with the one
	// that blocks. Whatever else a server asks of Redis shares the Set: the limit is 8.
	MaxPerRedis = MaxRetrying + maxUnretried + 1

	retries   = 3
	noRetries = -1
)

// Options configure a Set.
type Options struct {
	// Redis gives addresses and credentials. The Set overrides pool sizes, timeouts and retries.
	Redis *redis.UniversalOptions
	// Stream is a stream that the user may trim. See [RequirePrimary].
	Stream string
	// Blocking is how many commands block at once. 0 means 1.
	Blocking int
}

// Set is one server's connections to one Redis, in three pools that fail in different ways.
type Set struct {
	// Retrying is for reads and for writes that may be repeated. The library retries them.
	Retrying redis.UniversalClient
	// Unretried is for writes that must not be sent twice without their caller's
	// knowledge. The library never retries them.
	Unretried redis.UniversalClient
	// Blocking is for commands that block. They neither wait for other commands nor delay them.
	Blocking redis.UniversalClient
}

// New returns a Set. It connects when it is used. The caller closes it.
func New(options Options) *Set {
	return &Set{
		Retrying:  newClient(options, MaxRetrying, retries),
		Unretried: newClient(options, maxUnretried, noRetries),
		Blocking:  newClient(options, max(1, options.Blocking), noRetries),
	}
}

// Close closes all connections. Commands that block end with an error.
func (s *Set) Close() error {
	err := errors.Join(s.Retrying.Close(), s.Unretried.Close())
	if closed := s.CloseBlocking(); !errors.Is(closed, redis.ErrClosed) {
		err = errors.Join(err, closed)
	}
	return err
}

// CloseBlocking ends the commands that block. A blocked read does not heed its context
// (go-redis #2276).
func (s *Set) CloseBlocking() error { return s.Blocking.Close() }

// InCluster reports whether the options lead to a Redis Cluster, by the rules of
// [redis.NewUniversalClient].
func InCluster(options *redis.UniversalOptions) bool {
	return options.IsClusterMode || options.MasterName == "" && len(options.Addrs) > 1
}

// newClient returns a client of at most size connections to each Redis server.
func newClient(options Options, size, retries int) redis.UniversalClient {
	own := *options.Redis
	own.PoolSize, own.MaxActiveConns = size, size
	own.PipelinePoolSize = -1 // a second pool of ten otherwise
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
		throughSentinel(&own)
	}
	if !InCluster(options.Redis) { // a Cluster's replicas are asked where its slots are
		own.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
			return RequirePrimary(ctx, conn, options.Stream)
		}
	}
	client := redis.NewUniversalClient(&own)
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

// RequirePrimary returns an error if the connection leads to a replica. A replica is
// behind its primary, and one that was a primary before is about to replace its history.
func RequirePrimary(ctx context.Context, conn *redis.Conn, stream string) error {
	// Only a primary takes a write. This one removes nothing.
	err := conn.XTrimMaxLenApprox(ctx, stream, math.MaxInt64, 0).Err()
	if IsReply(err, "READONLY ", "MOVED ") {
		return fmt.Errorf("not a primary: %w", err)
	}
	return nil
}

// Node returns the client of the server that holds the key. A Cluster's own client would
// spread commands over servers and connections, and silently follow the key to another
// server.
func Node(ctx context.Context, client redis.UniversalClient, key string) (*redis.Client, error) {
	switch client := client.(type) {
	case *redis.ClusterClient:
		return client.MasterForKey(ctx, key)
	case *redis.Client:
		return client, nil
	}
	return nil, fmt.Errorf("no node of a client of type %T", client)
}

// IsReply reports whether err is an error reply of Redis that begins with one of the prefixes.
func IsReply(err error, prefixes ...string) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return false
	}
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(reply.Error(), prefix) })
}
