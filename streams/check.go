package streams

import (
	"context"
	"fmt"

	"burble/streams/conns"
)

// rest looks around when nothing moved for a while. One EXISTS for all rooms
// sees a FLUSHALL; one XREAD, every third time, what came without activity; a check of
// all what somebody removed from the end of a room.
func (t *tail) rest(ctx context.Context) error {
	if err := conns.RequirePrimary(ctx, t.conn, t.keys[0]); err != nil {
		return err // it was one when the connection was made
	}
	if t.doubted.Swap(false) {
		return t.checkAll(ctx)
	}
	var keys []string
	for _, w := range t.windows() {
		if w.view.Load().upto.Epoch != noEpoch {
			keys = append(keys, t.store.keys.room(w.room))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	there, err := t.conn.Exists(ctx, keys...).Result()
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
		some := doubt[:min(len(doubt), 50)]
		doubt = doubt[len(some):]
		pipe := t.conn.Pipeline()
		probes := make([]*probe, len(some))
		for i, w := range some {
			probes[i] = t.store.ask(ctx, pipe, w.room, w.view.Load().upto.ID, "+", batchEntries, ID{})
		}
		pipe.Exec(ctx)
		for i, w := range some {
			found, err := probes[i].answer()
			if conns.IsReply(err, notAStream) { // the other rooms go on
				found, err = notThere(), nil
			}
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
	// Who trimmed by hand left no record of where. The numbers tell that nothing is missing.
	whole := found.epoch == seen.upto.Epoch && seen.n > 0 && found.firstN == seen.n+1
	if whole || found.judge(seen.upto) == Resumed {
		w.publish(found.epoch, found.entries, t.store.windowBytes())
		return
	}
	t.store.log.Warn("the history of a room broke off", "room", w.room, "at", seen.upto, "now", found.end())
	w.lost(found)
}
