package streams

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"burble/streams/conns"
)

// awaitRedis returns when Redis can be used. It waits for options.Wait at most, and not at
// all if waiting cannot help.
func (s *Store) awaitRedis(ctx context.Context) error {
	deadline := time.Now().Add(s.options.Wait)
	var last error
	for {
		err := s.checkUsable(ctx)
		if err == nil {
			return nil
		}
		first := last == nil
		if first || ctx.Err() == nil { // keep the last error that is not about ctx
			last = err
		}
		if s.isRefusal(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("%w: %w", ErrUnusable, last)
		}
		if first {
			s.log.Info("waiting for redis", "at_most", s.options.Wait.String(), "error", err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// checkUsable tries what a Store needs: an answer, all keys of a tail in one command, and
// what every append does, a script with a write under the prefix. The user may lack
// permissions, a host may not offer every command, and one server of a Cluster has only some
// of the keys.
func (s *Store) checkUsable(ctx context.Context) error {
	if err := s.redis.Retrying.Ping(ctx).Err(); err != nil && !isFull(err) { // without a password, longer commands get another error
		return err
	}
	for _, tail := range s.tails {
		if err := s.redis.Retrying.Exists(ctx, tail.activityKeys...).Err(); err != nil {
			return err
		}
	}
	activity := s.keys.activity(0)
	node, err := conns.Node(ctx, s.redis.Unretried, activity)
	if err != nil {
		return err
	}
	if err := appendScript.Load(ctx, node).Err(); err != nil { // SCRIPT LOAD in a pipeline would lose its hash
		return err
	}
	err = node.Eval(ctx, "return redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1])", []string{activity}, activityLength).Err()
	if isFull(err) { // it can be read
		s.log.Warn("redis is full", "error", err)
		return nil
	}
	return err
}

// isRefusal reports whether Redis is reachable but refuses for a reason that waiting cannot
// change, unlike too many connections or requests.
func (s *Store) isRefusal(err error) bool {
	switch {
	case conns.IsReply(err, "ERR max "), isFull(err):
		return false
	case conns.IsReply(err, "MOVED ", "CROSSSLOT "): // only the client of a Cluster follows these
		return !conns.InCluster(s.options.Redis)
	}
	return conns.IsReply(err, "NOAUTH ", "WRONGPASS ", "NOPERM ", "DENIED ", "ERR ") || strings.Contains(err.Error(), "x509:")
}

// checkDurability returns an error if this Redis cannot keep the promise of Disk.
func (s *Store) checkDurability(ctx context.Context) error {
	if s.options.Durability != Disk {
		return nil
	}
	// WAITAOF does not show it: with everysec, Valkey 8 answers before it has synced.
	for _, needed := range [][2]string{{"appendonly", "yes"}, {"appendfsync", "always"}} {
		name, want := needed[0], needed[1]
		values, err := s.redis.Retrying.ConfigGet(ctx, name).Result()
		if err != nil {
			return fmt.Errorf("durability disk: cannot see whether redis has %s %s: %w", name, want, err)
		}
		if values[name] != want {
			return fmt.Errorf("durability disk: redis has %s %s, and needs %s",
				name, strconv.Quote(values[name]), want)
		}
	}
	return nil
}
