package streams

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Connections to Redis: at most 3 + 2 + 1 for each Redis server, whatever the
// number of readers. In Cluster mode every bucket blocks on its own.
const (
	readConnections   = 3
	appendConnections = 2
)

// inCluster says whether the client for these options is that of a Cluster, by the rules
// of redis.NewUniversalClient.
func inCluster(options *redis.UniversalOptions) bool {
	return options.IsClusterMode || options.MasterName == "" && len(options.Addrs) > 1
}

// client makes a client of at most so many connections to each Redis server.
func client(options *redis.UniversalOptions, keys keys, connections, retries int) redis.UniversalClient {
	if planted("no_care_of_retries") {
		retries = 3
	}
	own := *options
	own.PoolSize, own.MaxActiveConns = connections, connections
	own.PipelinePoolSize = -1 // a second pool of ten otherwise
	own.MaxRetries = retries
	own.MaxRetryBackoff = 100 * time.Millisecond
	own.ContextTimeoutEnabled = true
	own.DialTimeout = 3 * time.Second
	own.DialerRetries = 1
	own.ReadTimeout, own.WriteTimeout = 3*time.Second, 3*time.Second
	own.PoolTimeout = 4 * time.Second
	own.ConnMaxIdleTime = 4 * time.Minute // Heroku drops idle connections after five
	own.DisableIdentity = true
	own.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if !inCluster(options) { // there replicas are asked as well, for who has what
		own.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
			return requirePrimary(ctx, conn, keys.activity(0))
		}
	}
	made := redis.NewUniversalClient(&own)
	if cluster, ok := made.(*redis.ClusterClient); ok {
		cluster.OnNewNode(func(node *redis.Client) { node.AddHook(reloader{cluster}) })
	}
	return made
}

// requirePrimary is an error when the connection leads to a replica. It is behind its
// primary, and when it was a primary before, its history is about to be replaced.
func requirePrimary(ctx context.Context, conn *redis.Conn, activity string) error {
	// Trimmed already, it stays as it is. But only a primary takes the command.
	err := conn.XTrimMaxLenApprox(ctx, activity, activityKept, 0).Err()
	if says(err, "READONLY ", "MOVED ") {
		return fmt.Errorf("not a primary: %w", err)
	}
	return nil
}

// node is the server that holds the key. A client of a Cluster would spread commands over
// servers and connections, and follow the key to another server without a word.
func node(ctx context.Context, client redis.UniversalClient, key string) (*redis.Client, error) {
	switch client := client.(type) {
	case *redis.ClusterClient:
		return client.MasterForKey(ctx, key)
	case *redis.Client:
		return client, nil
	}
	return nil, fmt.Errorf("a client of an unknown sort: %T", client)
}

// reloader has the client of a Cluster ask anew who has what when a server fails. By
// itself it goes on to ask that server for a minute, unless another one sends it on.
type reloader struct{ cluster *redis.ClusterClient }

func (r reloader) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r reloader) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		err := next(ctx, command)
		if command.Name() != "cluster" { // it is being asked already
			r.see(ctx, err)
		}
		return err
	}
}

func (r reloader) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		err := next(ctx, commands)
		r.see(ctx, err)
		return err
	}
}

func (r reloader) see(ctx context.Context, err error) {
	if err != nil && !says(err, "") || says(err, "MOVED ", "CLUSTERDOWN ", "READONLY ") {
		r.cluster.ReloadState(ctx)
	}
}

// says tells whether the error is what Redis answered, and begins with one of these.
func says(err error, words ...string) bool {
	var said redis.Error
	if !errors.As(err, &said) {
		return false
	}
	return slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(said.Error(), word) })
}
