package streams

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// slowOpen is how long Open may take before it logs that Redis is slow. A first attempt may take much
// longer to fail, because some commands time out and are retried.
const slowOpen = 2 * time.Second

// awaitRedis waits up to atMost for Redis to become usable. It returns at once if Redis refuses
// for a reason that waiting does not change.
func (s *Store) awaitRedis(ctx context.Context, atMost time.Duration) error {
	deadline := time.Now().Add(atMost)
	var last error
	for {
		err := s.checkUsable(ctx)
		if err == nil {
			return nil
		}
		first := last == nil
		if first || ctx.Err() == nil { // otherwise keep the last error from Redis
			last = err
		}
		if s.isRefusal(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("%w: %w", ErrUnusable, last)
		}
		if first {
			s.log.Info("waiting for redis", "at_most", atMost.String(), "error", err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// checkUsable sends a PING, a command with all keys of a tail, and a script that writes to a key with the
// prefix, as every append does. These fail if the Redis user lacks permissions, if the host does not
// offer a command, or if Redis is a single server of a Cluster, which has only some of the keys.
func (s *Store) checkUsable(ctx context.Context) error {
	if err := s.redis.Retrying.Ping(ctx).Err(); err != nil && !conns.IsFull(err) { // first, because other commands return a less clear error without a password
		return err
	}
	if _, err := s.redis.Retrying.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, tail := range s.tails {
			pipe.Exists(ctx, tail.activityKeys...)
		}
		return nil
	}); err != nil {
		return err
	}
	activity := s.keys.activity(0)
	node, err := conns.Node(ctx, s.redis.Unretried, activity)
	if err != nil {
		return err
	}
	if err := appendScript.Load(ctx, node).Err(); err != nil { // in a pipeline, go-redis would not return the hash
		return err
	}
	err = node.Eval(ctx, "return redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1])", []string{activity}, activityLength).Err()
	if conns.IsFull(err) { // reads still work
		s.log.Warn("redis is full", "error", err)
		return nil
	}
	return err
}

// isRefusal reports whether Redis answered, but refused for a reason that waiting does not change, such as
// a wrong password. Too many connections or requests are not such a reason.
func (s *Store) isRefusal(err error) bool {
	switch {
	case conns.IsReply(err, "ERR max "), conns.IsFull(err):
		return false
	case conns.IsReply(err, "MOVED ", "CROSSSLOT "): // only a Cluster client can follow these
		return !s.inCluster
	}
	return conns.IsReply(err, "NOAUTH ", "WRONGPASS ", "NOPERM ", "DENIED ", "ERR ") || strings.Contains(err.Error(), "x509:")
}

// checkFsync returns an error unless Redis is configured for Disk.
func (s *Store) checkFsync(ctx context.Context) error {
	// WAITAOF is not enough: with everysec, Valkey 8 answers before it has synced.
	for _, needed := range [][2]string{{"appendonly", "yes"}, {"appendfsync", "always"}} {
		name, want := needed[0], needed[1]
		values, err := s.redis.Retrying.ConfigGet(ctx, name).Result()
		if err != nil {
			return fmt.Errorf("durability disk: check that redis has %s %s: %w", name, want, err)
		}
		if values[name] != want {
			return fmt.Errorf("durability disk: redis has %s %s, want %s",
				name, strconv.Quote(values[name]), want)
		}
	}
	return nil
}
