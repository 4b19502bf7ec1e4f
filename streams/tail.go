package streams

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"burble/streams/conns"
)

// maxBlock is how long a tail waits for activity before it checks idle rooms. The tail notifies a Watcher at
// least every 20 s that it still reads. Tests shorten maxBlock.
var maxBlock = 19 * time.Second

const (
	// busyBlock is how long a tail waits for more activity right after activity.
	busyBlock = 2 * time.Second
	// replyGrace is how long Redis may take to reply after a read's block time has passed.
	replyGrace = 2 * time.Second
	// awayAfter is how long reads must fail before Redis is considered away, so that users are not
	// notified of one or two broken connections.
	awayAfter = 500 * time.Millisecond
	// maxBackoff is the longest delay before a tail reconnects.
	maxBackoff = 500 * time.Millisecond
	// minRoundTime is the minimum duration of a round, which limits a tail to 100 rounds a second.
	// The tail then reads an entry of a quiet room at once, and entries of a busy room in batches.
	minRoundTime = 10 * time.Millisecond
	// activityLength is the minimum number of entries that an activity stream keeps. If a read
	// returns that many, others may have been trimmed before they could be read.
	activityLength = 1000
)

// A tail reads the new entries of the rooms in its buckets, once for all readers in this process. It
// blocks on the activity streams, and uses them only to find out which rooms to read. All entries that
// it publishes come from the rooms' own streams.
type tail struct {
	store    *Store
	appender *appender // for the same buckets
	buckets  []int

	activityKeys   []string
	conn           conns.Client // a single connection, so that the tail notices when it breaks
	followingSince time.Time    // zero until the first round on this connection

	// See Store.Watch. watcher may be nil.
	watcher     Watcher
	watched     string // the key of its stream
	lastWatched string // the last ID read from it

	away atomic.Bool

	block      time.Duration // how long the next read blocks
	maxBlock   time.Duration
	idleChecks int
	shrunkAt   time.Time // when shrinkWindows last ran

	checkAllDue atomic.Bool // a read returned a history other than the window's, so all rooms must be checked

	mu         sync.Mutex
	lastRead   map[string]string // last ID read, by activity key; only the tail changes it
	skips      int               // how often the tail has skipped activity
	checkQueue []*window         // windows whose end another connection found since the last round
}

func newTail(s *Store, appender *appender, buckets []int) *tail {
	t := &tail{store: s, appender: appender, buckets: buckets, maxBlock: maxBlock, block: min(busyBlock, maxBlock)}
	for _, bucket := range buckets {
		t.activityKeys = append(t.activityKeys, s.keys.activity(bucket))
	}
	return t
}

// run calls follow, and calls it again after every error, until ctx ends.
func (t *tail) run(ctx context.Context) {
	lostAt := time.Now()
	for attempt := 0; ctx.Err() == nil; attempt++ {
		t.followingSince = time.Time{}
		err := t.follow(ctx)
		if t.watcher != nil {
			t.watcher.Broken()
		}
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
		// While a Cluster moves a slot to another server, the slot's rooms are unavailable for a
		// moment. Redis is not away.
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

// follow reads until an error occurs. It first checks every room, because anything may have
// changed while the tail was not reading.
func (t *tail) follow(ctx context.Context) error {
	conn, err := t.store.redis.BlockingConn(ctx, t.activityKeys[0])
	if err != nil {
		return err
	}
	t.conn = conn
	defer t.conn.Close()
	if err := seekActivityEnd(ctx, t.conn, t); err != nil {
		return err
	}
	if err := t.startWatching(ctx); err != nil {
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

// round waits for activity and reads the rooms that have any. After maxBlock without activity, it
// checks idle rooms.
func (t *tail) round(ctx context.Context) error {
	moved, signals, readAll, err := t.awaitActivity(ctx)
	began := time.Now()
	if err == nil {
		err = t.check(ctx, t.takeCheckQueue())
	}
	switch {
	case err != nil:
		return err
	case readAll:
		err = t.readAll(ctx)
	case moved == nil && t.block < t.maxBlock: // not idle for maxBlock yet
	case moved == nil:
		err = t.checkIdle(ctx)
	default:
		err = t.readMoved(ctx, moved)
	}
	t.adjustBlock(moved != nil)
	if err != nil {
		return err
	}
	for _, signal := range signals { // after the entries, so that no removed reader gets later signals
		t.store.deliver(signal.room, signal.encoded)
	}
	t.shrinkWindows()
	time.Sleep(minRoundTime - time.Since(began))
	t.awaitAppends()
	return nil
}

// shrinkWindows shrinks the windows to their current share of the memory. The share falls as the number
// of windows rises, but publish applies it only to rooms with new entries.
func (t *tail) shrinkWindows() {
	if time.Since(t.shrunkAt) < t.maxBlock {
		return
	}
	t.shrunkAt = time.Now()
	for _, w := range t.windows() {
		w.shrinkTo(t.store.windowShare())
	}
}

// awaitAppends waits until Redis has answered the appends that this server has sent, so that the next
// round reads all of them. Otherwise the next read would return after the first of them.
func (t *tail) awaitAppends() {
	if answered := t.appender.inFlightDone(); answered != nil {
		select {
		case <-answered:
		case <-time.After(groupInterval):
		}
	}
}

// queueCheck makes the tail check the window's end on its own connection. The connection that found the
// end may be to another primary.
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

// adjustBlock sets how long the next read blocks. A short block detects a hung Redis sooner. A long
// block sends fewer commands while the rooms are quiet.
func (t *tail) adjustBlock(busy bool) {
	if busy {
		t.block = min(busyBlock, t.maxBlock)
	} else {
		t.block = min(2*t.block, t.maxBlock)
	}
}

// windows returns the windows in this tail's buckets that have a view.
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
