package streams

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// blockFor is how long a tail waits for activity before it looks around.
	blockFor = 20 * time.Second
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
	buckets []int
	keys    []string          // of the buckets' activity streams
	seen    map[string]string // activity stream to the last ID read
	away    bool
	rests   int
}

func newTail(s *Store, group []int) *tail {
	t := &tail{store: s, buckets: group}
	for _, bucket := range group {
		t.keys = append(t.keys, s.keys.activity(bucket))
	}
	return t
}

// run follows until ctx ends, coming back after every error.
func (t *tail) run(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		began := time.Now()
		err := t.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > 5*time.Second {
			attempt = 0
		}
		t.store.log.Warn("reading from redis broke off", "error", err)
		if !t.away && attempt > 0 {
			t.away = true
			t.store.gone()
		}
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(min(time.Second, 20*time.Millisecond<<min(attempt, 6)))):
		}
	}
}

// follow reads until something breaks. It begins by checking every room: while
// nobody listened, anything may have happened.
func (t *tail) follow(ctx context.Context) error {
	if err := t.findActivity(ctx); err != nil {
		return err
	}
	if err := t.checkAll(ctx); err != nil {
		return err
	}
	if t.away {
		t.away = false
		t.store.back()
	}
	for {
		moved, all, err := t.await(ctx)
		began := time.Now()
		switch {
		case err != nil:
			return err
		case all:
			err = t.readAll(ctx)
		case len(moved) == 0:
			err = t.rest(ctx)
		default:
			err = t.read(ctx, moved)
		}
		if err != nil {
			return err
		}
		time.Sleep(roundTime - time.Since(began))
	}
}

// findActivity stands at the end of the activity streams.
func (t *tail) findActivity(ctx context.Context) error {
	pipe := t.store.reads.Pipeline()
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

// await blocks until there is activity, and says which rooms moved how far. all
// is set when more happened than activity keeps.
func (t *tail) await(ctx context.Context) (moved map[string]Cursor, all bool, err error) {
	args := &redis.XReadArgs{Count: activityKept, Block: blockFor, Streams: t.keys}
	for _, key := range t.keys {
		args.Streams = append(args.Streams, t.seen[key])
	}
	found, err := t.store.blocks.XRead(ctx, args).Result()
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
			at, _ := message.Values["at"].(string)
			if cursor, err := ParseCursor(at); err == nil {
				moved[room] = cursor
			}
		}
	}
	return moved, all, nil
}

// read reads the rooms that moved and that somebody here follows.
func (t *tail) read(ctx context.Context, moved map[string]Cursor) error {
	var ask, doubt []*window
	for room, cursor := range moved {
		w := t.store.window(room)
		if w == nil {
			continue
		}
		switch seen := w.touched(); {
		case seen == nil: // its first reader finds where it stands
		case cursor.Epoch != seen.upto.Epoch:
			doubt = append(doubt, w)
		case seen.upto.ID.Before(cursor.ID):
			ask = append(ask, w)
		}
	}
	silent, err := t.readOn(ctx, ask)
	if err != nil {
		return err
	}
	return t.check(ctx, append(doubt, silent...))
}

// readOn reads each room on from its window's end. It returns those that had nothing.
func (t *tail) readOn(ctx context.Context, ask []*window) (silent []*window, err error) {
	var doubt []*window
	for first := true; len(ask) > 0; first = false {
		found, err := t.xread(ctx, ask)
		if err != nil {
			return nil, err
		}
		var more []*window
		for _, w := range ask {
			entries, ok := found[t.store.keys.room(w.room)]
			switch {
			case !ok && first:
				silent = append(silent, w)
			case !ok:
			case !chained(w.view.Load().n, entries):
				doubt = append(doubt, w)
			default:
				w.publish(w.view.Load().upto.Epoch, entries, t.store.windowBytes())
				if len(entries) == batchEntries {
					more = append(more, w)
				}
			}
		}
		ask = more
	}
	return silent, t.check(ctx, doubt)
}

// xread is one command for all the rooms: what each has after its window's end.
func (t *tail) xread(ctx context.Context, ask []*window) (map[string][]Entry, error) {
	streams := make([]string, 2*len(ask))
	for i, w := range ask {
		streams[i] = t.store.keys.room(w.room)
		streams[len(ask)+i] = w.view.Load().upto.ID.String()
	}
	found, err := t.store.reads.XRead(ctx, &redis.XReadArgs{Streams: streams, Count: batchEntries, Block: -1}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("read %d rooms: %w", len(ask), err)
	}
	entries := make(map[string][]Entry, len(found))
	for _, stream := range found {
		entries[stream.Stream] = parseEntries(stream.Messages)
	}
	return entries, nil
}

// chained says whether the entries follow the one with number n without a break.
func chained(n int64, entries []Entry) bool {
	for i := range entries {
		if n++; entries[i].N != n {
			return false
		}
	}
	return true
}

// rest looks around when nothing moved for a while. One EXISTS for all rooms
// sees a FLUSHALL; one XREAD, every third time, what came without activity.
func (t *tail) rest(ctx context.Context) error {
	var keys []string
	for _, w := range t.windows() {
		if w.view.Load().upto.Epoch != noEpoch {
			keys = append(keys, t.store.keys.room(w.room))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	there, err := t.store.reads.Exists(ctx, keys...).Result()
	if err != nil {
		return fmt.Errorf("see whether %d rooms exist: %w", len(keys), err)
	}
	if there != int64(len(keys)) {
		return t.checkAll(ctx)
	}
	if t.rests++; t.rests%3 == 0 {
		return t.readAll(ctx)
	}
	return nil
}

// readAll reads every followed room, whatever activity said.
func (t *tail) readAll(ctx context.Context) error {
	_, err := t.readOn(ctx, t.windows())
	return err
}

// windows are the followed rooms of this tail whose position is known.
func (t *tail) windows() []*window {
	mine := make(map[int]bool, len(t.buckets))
	for _, bucket := range t.buckets {
		mine[bucket] = true
	}
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	var found []*window
	for room, w := range t.store.windows {
		if mine[bucketOf(room)] && w.touched() != nil {
			found = append(found, w)
		}
	}
	return found
}

// checkAll checks every followed room, and has every reader check its cursor.
func (t *tail) checkAll(ctx context.Context) error {
	all := t.windows()
	if err := t.check(ctx, all); err != nil {
		return err
	}
	for _, w := range all {
		w.doubted()
	}
	return nil
}

// check asks for the places of the windows' ends, as a client's cursor is
// checked, and moves the windows on or declares them lost.
func (t *tail) check(ctx context.Context, doubt []*window) error {
	for len(doubt) > 0 {
		some := doubt[:min(len(doubt), 100)]
		doubt = doubt[len(some):]
		pipe := t.store.reads.Pipeline()
		probes := make([]*probe, len(some))
		for i, w := range some {
			probes[i] = t.store.ask(ctx, pipe, w.room, w.view.Load().upto.ID, "+", batchEntries)
		}
		pipe.Exec(ctx)
		for i, w := range some {
			found, err := probes[i].answer()
			if err != nil {
				return err
			}
			if t.settle(w, found); found.more {
				doubt = append(doubt, w)
			}
		}
	}
	return nil
}

// settle moves a window as the check of its end asks.
func (t *tail) settle(w *window, found *place) {
	seen := w.view.Load()
	if found.judge(seen.upto) == Resumed {
		w.publish(found.epoch, found.entries, t.store.windowBytes())
		return
	}
	t.store.log.Warn("the history of a room broke off", "room", w.room, "at", seen.upto, "now", found.end())
	w.lost(found)
}

// window is the room's window, nil if nobody here follows it.
func (s *Store) window(room string) *window {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.windows[room]
}

// windowBytes is one window's share of the memory for windows.
func (s *Store) windowBytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(16<<10, windowsBytes/max(1, len(s.windows)))
}
