package streams

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// blockFor is how long a tail waits for activity before it looks around. Tests
// shorten it.
var blockFor = 20 * time.Second

const (
	// busyFor is how long a tail waits right after activity.
	busyFor = 2 * time.Second
	// lateBy is how late the answer to a blocking read may come before Redis
	// is taken to hang.
	lateBy = 2 * time.Second
	// awayAfter is how long nothing may be read before Redis is said to be away: a
	// connection that is cut, and the next one too, is nothing to tell people of.
	awayAfter = 500 * time.Millisecond
	// backoff is the longest pause before a tail that lost Redis tries again.
	backoff = 500 * time.Millisecond
	// roundTime is the least time between two rounds: a quiet room is read at
	// once, a busy one in batches, and Redis sees at most 100 rounds a second.
	roundTime = 10 * time.Millisecond
	// activityKept is at least how many entries an activity stream keeps. More
	// than that at once: some may have been trimmed unread.
	activityKept = 1000
)

// A tail reads what moves in its buckets, once for all readers here. It blocks
// on the activity streams alone; what they say is a hint, the rooms are the truth.
type tail struct {
	store   *Store
	lane    *lane // takes the appends to its buckets
	buckets []int
	block   time.Duration     // the longest that a read blocks
	wait    time.Duration     // how long the next one does
	keys    []string          // of the buckets' activity streams
	seen    map[string]string // activity stream to the last ID read
	conn    *redis.Conn       // while it follows: one connection, of which the loss is noticed
	since   time.Time         // when it last began to follow; zero: it has not
	away    atomic.Bool
	fitted  time.Time // when its windows were last fitted into the memory for all
	rests   int
	doubted atomic.Bool // by who read a room, and did not find where its window ends

	mu     sync.Mutex
	joined []*window // since it last looked: another connection found their place
}

func newTail(s *Store, lane *lane, group []int) *tail {
	t := &tail{store: s, lane: lane, buckets: group, block: blockFor, wait: min(busyFor, blockFor)}
	for _, bucket := range group {
		t.keys = append(t.keys, s.keys.activity(bucket))
	}
	return t
}

// run follows until ctx ends, coming back after every error.
func (t *tail) run(ctx context.Context) {
	broke := time.Now()
	for attempt := 0; ctx.Err() == nil; attempt++ {
		t.since = time.Time{}
		err := t.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if !t.since.IsZero() {
			t.store.log.Warn("reading from redis broke off", "error", err)
			broke = time.Now()
			if time.Since(t.since) > 5*time.Second {
				attempt = 0
			}
		}
		// A slot of a Cluster that is on its way to another server is not away for long,
		// and nothing is appended to its rooms meanwhile.
		if !t.away.Load() && time.Since(broke) >= awayAfter && !conns.IsReply(err, "ASK ", "TRYAGAIN ") {
			t.away.Store(true)
			t.store.gone(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(min(backoff, 20*time.Millisecond<<min(attempt, 6)))):
		}
	}
}

// follow reads until something breaks. It begins by checking every room: while
// nobody listened, anything may have happened.
func (t *tail) follow(ctx context.Context) error {
	node, err := conns.Node(ctx, t.store.redis.Blocking, t.keys[0])
	if err != nil {
		return err
	}
	t.conn = node.EphemeralConn()
	defer t.conn.Close()
	if err := t.findActivity(ctx); err != nil {
		return err
	}
	if err := t.checkAll(ctx); err != nil {
		return err
	}
	t.since = time.Now()
	if t.away.CompareAndSwap(true, false) {
		t.store.back()
	}
	for {
		moved, all, err := t.await(ctx)
		began := time.Now()
		if err == nil {
			err = t.check(ctx, t.unproven())
		}
		switch {
		case err != nil:
			return err
		case all:
			err = t.readAll(ctx)
		case moved == nil && t.wait < t.block: // too early to look around
		case moved == nil:
			err = t.rest(ctx)
		default:
			err = t.read(ctx, moved)
		}
		t.pace(moved != nil)
		if err != nil {
			return err
		}
		t.fit()
		time.Sleep(roundTime - time.Since(began))
		t.join()
	}
}

// fit has each window hold no more than its share, which is less the more there are: one
// that was filled when there were few, and is silent since, would keep what it had then.
func (t *tail) fit() {
	if time.Since(t.fitted) < t.block {
		return
	}
	t.fitted = time.Now()
	for _, w := range t.windows() {
		w.fit(t.store.windowBytes())
	}
}

// join waits for the appends that are on their way from here, so that the next round has
// them all: a read that blocks is answered when Redis has the first.
func (t *tail) join() {
	if answered := t.lane.underWay(); answered != nil {
		select {
		case <-answered:
		case <-time.After(groupTime):
		}
	}
}

// prove has the window's place checked by the tail's own connection: another may lead to
// another primary.
func (t *tail) prove(w *window) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.joined = append(t.joined, w)
}

// unproven are the windows to prove.
func (t *tail) unproven() (joined []*window) {
	t.mu.Lock()
	defer t.mu.Unlock()
	joined, t.joined = t.joined, nil
	return joined
}

// pace decides how long the next read blocks: the shorter, the sooner a Redis that
// hangs is noticed; the longer, the less a quiet one is asked.
func (t *tail) pace(busy bool) {
	if busy {
		t.wait = min(busyFor, t.block)
	} else {
		t.wait = min(2*t.wait, t.block)
	}
}

// findActivity stands at the end of the activity streams.
func (t *tail) findActivity(ctx context.Context) error {
	pipe := t.conn.Pipeline()
	last := make([]*redis.XMessageSliceCmd, len(t.keys))
	for i, key := range t.keys {
		last[i] = pipe.XRevRangeN(ctx, key, "+", "-", 1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("find the activity: %w", err)
	}
	t.seen = make(map[string]string, len(t.keys))
	for i, key := range t.keys {
		t.seen[key] = "0-0"
		if found := last[i].Val(); len(found) > 0 {
			t.seen[key] = found[0].ID
		}
	}
	return nil
}

// await blocks until there is activity, and says which rooms moved how far; nil
// is for no activity. all is set when more happened than activity keeps.
func (t *tail) await(ctx context.Context) (moved map[string]Cursor, all bool, err error) {
	// go-redis would wait ten seconds longer than the block.
	ctx, cancel := context.WithTimeout(ctx, t.wait+lateBy)
	defer cancel()
	args := &redis.XReadArgs{Count: activityKept, Block: t.wait, Streams: t.keys}
	for _, key := range t.keys {
		args.Streams = append(args.Streams, t.seen[key])
	}
	found, err := t.conn.XRead(ctx, args).Result()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("wait for activity: %w", err)
	}
	moved = make(map[string]Cursor)
	for _, stream := range found {
		all = all || len(stream.Messages) >= activityKept
		for _, message := range stream.Messages {
			t.seen[stream.Stream] = message.ID
			room, _ := message.Values["room"].(string)
			if said, ok := message.Values["signal"].(string); ok {
				t.store.pass(room, said)
				continue
			}
			at, _ := message.Values["at"].(string)
			if cursor, err := ParseCursor(at); err == nil {
				moved[room] = cursor
			}
		}
	}
	return moved, all, nil
}
