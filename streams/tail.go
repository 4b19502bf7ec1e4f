package streams

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// maxBlock is how long a tail waits for activity before it checks idle rooms. Tests
// shorten it.
var maxBlock = 20 * time.Second

const (
	// busyBlock is how long a tail waits for more activity right after activity.
	busyBlock = 2 * time.Second
	// replyGrace is how much longer than its block time a read may take before Redis counts
	// as hanging.
	replyGrace = 2 * time.Second
	// awayAfter is how long reads must fail before Redis counts as away. Users need not be
	// notified of one or two broken connections.
	awayAfter = 500 * time.Millisecond
	// maxBackoff is the longest pause before a tail that lost Redis tries again.
	maxBackoff = 500 * time.Millisecond
	// minRoundTime is the least time between two rounds: a quiet room is read at once, a busy
	// one in batches, and Redis serves at most 100 rounds a second.
	minRoundTime = 10 * time.Millisecond
	// activityLength is the least number of entries that an activity stream keeps. If that
	// many are new, others may have been trimmed unread.
	activityLength = 1000
)

// A tail reads new entries of the rooms in its buckets, once for all readers in this process.
// It blocks on the activity streams only: activity is a hint, and the rooms are the truth.
type tail struct {
	store    *Store
	appender *appender // for the same buckets
	buckets  []int

	activityKeys   []string
	lastRead       map[string]string // activity key to the last ID read
	conn           *redis.Conn       // one connection, so that its loss is noticed
	followingSince time.Time         // zero until the first round of this connection
	away           atomic.Bool

	block      time.Duration // of the next read
	maxBlock   time.Duration
	idleChecks int
	shrunkAt   time.Time // when its windows were last shrunk to their share

	checkAllDue atomic.Bool // a reader found a history that differs from its window's: check all rooms

	mu         sync.Mutex
	checkQueue []*window // their position was found by another connection since the last round
}

func newTail(s *Store, appender *appender, buckets []int) *tail {
	t := &tail{store: s, appender: appender, buckets: buckets, maxBlock: maxBlock, block: min(busyBlock, maxBlock)}
	for _, bucket := range buckets {
		t.activityKeys = append(t.activityKeys, s.keys.activity(bucket))
	}
	return t
}

// run follows until ctx ends, and starts over after every error.
func (t *tail) run(ctx context.Context) {
	lostAt := time.Now()
	for attempt := 0; ctx.Err() == nil; attempt++ {
		t.followingSince = time.Time{}
		err := t.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if !t.followingSince.IsZero() {
			t.store.log.Warn("lost the connection that reads new entries", "error", err)
			lostAt = time.Now()
			if time.Since(t.followingSince) > 5*time.Second {
				attempt = 0
			}
		}
		// A Cluster's slot that moves to another server is not away for long, and
		// nothing is appended to its rooms in the meantime.
		if !t.away.Load() && time.Since(lostAt) >= awayAfter && !conns.IsReply(err, "ASK ", "TRYAGAIN ") {
			t.away.Store(true)
			t.store.tailDisconnected(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(min(maxBackoff, 20*time.Millisecond<<min(attempt, 6)))):
		}
	}
}

// follow reads until an error. It begins by checking every room, since anything may have
// happened while nothing was read.
func (t *tail) follow(ctx context.Context) error {
	node, err := conns.Node(ctx, t.store.redis.Blocking, t.activityKeys[0])
	if err != nil {
		return err
	}
	t.conn = node.EphemeralConn()
	defer t.conn.Close()
	if err := t.seekActivityEnd(ctx); err != nil {
		return err
	}
	if err := t.checkAll(ctx); err != nil {
		return err
	}
	t.followingSince = time.Now()
	if t.away.CompareAndSwap(true, false) {
		t.store.tailReconnected()
	}
	for {
		if err := t.round(ctx); err != nil {
			return err
		}
	}
}

// round waits for activity and reads what it announces, or checks idle rooms.
func (t *tail) round(ctx context.Context) error {
	moved, readAll, err := t.awaitActivity(ctx)
	began := time.Now()
	if err == nil {
		err = t.check(ctx, t.takeCheckQueue())
	}
	switch {
	case err != nil:
		return err
	case readAll:
		err = t.readAll(ctx)
	case moved == nil && t.block < t.maxBlock: // not idle for long enough
	case moved == nil:
		err = t.checkIdle(ctx)
	default:
		err = t.readMoved(ctx, moved)
	}
	t.adjustBlock(moved != nil)
	if err != nil {
		return err
	}
	t.shrinkWindows()
	time.Sleep(minRoundTime - time.Since(began))
	t.awaitAppends()
	return nil
}

// shrinkWindows shrinks windows to their share of the memory, which falls as the number of
// windows rises. Otherwise a quiet room would keep its old, larger share.
func (t *tail) shrinkWindows() {
	if time.Since(t.shrunkAt) < t.maxBlock {
		return
	}
	t.shrunkAt = time.Now()
	for _, w := range t.windows() {
		w.shrinkTo(t.store.windowShare())
	}
}

// awaitAppends waits for the appends that this server has sent, so that the next round
// reads them all: a blocked read returns as soon as Redis has the first.
func (t *tail) awaitAppends() {
	if answered := t.appender.inFlightDone(); answered != nil {
		select {
		case <-answered:
		case <-time.After(groupInterval):
		}
	}
}

// queueCheck makes the tail check the window's end on its own connection. The connection that
// found the end may lead to another primary.
func (t *tail) queueCheck(w *window) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checkQueue = append(t.checkQueue, w)
}

func (t *tail) takeCheckQueue() (unconfirmed []*window) {
	t.mu.Lock()
	defer t.mu.Unlock()
	unconfirmed, t.checkQueue = t.checkQueue, nil
	return unconfirmed
}

// adjustBlock sets how long the next read blocks. After a short block, a Redis
// that hangs is noticed sooner; with a long one, a quiet Redis gets fewer commands.
func (t *tail) adjustBlock(busy bool) {
	if busy {
		t.block = min(busyBlock, t.maxBlock)
	} else {
		t.block = min(2*t.block, t.maxBlock)
	}
}

// windows returns the followed rooms of this tail whose position is known.
func (t *tail) windows() []*window {
	mine := make(map[int]bool, len(t.buckets))
	for _, bucket := range t.buckets {
		mine[bucket] = true
	}
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	var found []*window
	for room, w := range t.store.windows {
		if mine[bucketOf(room)] && w.markMoved() != nil {
			found = append(found, w)
		}
	}
	return found
}
