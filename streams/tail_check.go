package streams

import (
	"context"
	"fmt"

	"burble/streams/conns"
)

// checkIdle looks for changes that added no activity. EXISTS on all rooms detects a FLUSHALL. On every
// third call, XREAD on all rooms detects entries that another program added. Only checkAll detects that
// an operator removed entries at the end of a room.
func (t *tail) checkIdle(ctx context.Context) error {
	t.idleChecks++
	isThird := t.idleChecks%3 == 0
	if isThird {
		// A primary that becomes a replica ends blocked reads, but not other connections.
		if err := conns.RequirePrimary(ctx, t.conn, t.activityKeys[0]); err != nil {
			return err
		}
	}
	if t.checkAllDue.Swap(false) {
		return t.checkAll(ctx)
	}
	var keys []string
	for _, w := range t.windows() {
		if w.view.Load().end.Epoch != noEpoch {
			keys = append(keys, t.store.keys.room(w.room))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	existing, err := t.conn.Exists(ctx, keys...).Result()
	if err != nil {
		return fmt.Errorf("check that %d rooms exist: %w", len(keys), err)
	}
	if existing != int64(len(keys)) {
		return t.checkAll(ctx)
	}
	if isThird {
		return t.readAll(ctx)
	}
	return nil
}

// checkAll checks every followed room, and makes every reader look up its cursor again.
func (t *tail) checkAll(ctx context.Context) error {
	all := t.windows()
	if err := t.check(ctx, all); err != nil {
		return err
	}
	for _, w := range all {
		w.invalidate()
	}
	return nil
}

// check checks the end of each window in the same way as a client's cursor. It appends new entries to the
// windows that can continue exactly, and resets the others.
func (t *tail) check(ctx context.Context, toCheck []*window) error {
	for len(toCheck) > 0 {
		chunk := toCheck[:min(len(toCheck), 50)]
		toCheck = toCheck[len(chunk):]
		pipe := t.conn.Pipeline()
		queries := make([]*infoQuery, len(chunk))
		for i, w := range chunk {
			queries[i] = t.store.queryInfo(ctx, pipe, w.room, w.view.Load().end.ID, "+", maxBatchEntries, ID{})
		}
		pipe.Exec(ctx)
		for i, w := range chunk {
			found, err := queries[i].result()
			if conns.IsReply(err, notAStream) { // this must not affect the other rooms
				found, err = missingRoom(), nil
			}
			if err != nil {
				return err
			}
			if t.applyCheck(w, found); found.hasMore {
				toCheck = append(toCheck, w)
			}
		}
	}
	return nil
}

// applyCheck continues the window with the entries in found, or resets it if that would
// leave a gap.
func (t *tail) applyCheck(w *window, found *roomInfo) {
	current := w.view.Load()
	// An operator's XTRIM is not recorded. But if the numbers continue where the window ends, no entry is
	// missing. After a reconnect, they prove nothing, because another server may have a different entry
	// with the window's last number.
	isSameServer := !t.followingSince.IsZero()
	isConsecutive := isSameServer && found.epoch == current.end.Epoch && current.lastNumber > 0 && found.firstNumber == current.lastNumber+1
	if isConsecutive || found.stateAt(current.end) == Resumed && !found.mayLackAfter(current.end.ID) {
		w.publish(found.epoch, found.entries, t.store.windowShare())
		return
	}
	t.store.log.Warn("a room's history was lost, replaced or trimmed", "room", w.room, "at", current.end, "now", found.end())
	w.reset(found)
}
