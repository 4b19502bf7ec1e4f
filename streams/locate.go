package streams

import (
	"cmp"
	"context"
	"fmt"
)

// locate looks up the cursor in the room's history. It returns nil if an earlier lookup succeeded and
// the reader can continue without a gap.
func (r *Reader) locate(ctx context.Context, current *view) (*Followed, error) {
	first := r.position == notLocated
	r.prefetched = nil
	if first && r.start.fresh {
		return r.locateFresh(ctx, current)
	}
	found, err := r.locateCursor(ctx, current)
	switch {
	case err != nil:
		return nil, err
	case found != nil && found.state != Resumed:
		return r.restart(ctx, current, found)
	case first:
		return r.followed(Resumed, current, found), nil
	}
	return nil, nil
}

// locateCursor looks up the cursor in the view, or else in Redis. If the reader can continue exactly
// after the cursor, locateCursor sets the position. Otherwise it returns a result whose state is not
// Resumed. The result is nil if the view has the cursor.
func (r *Reader) locateCursor(ctx context.Context, current *view) (found *readResult, err error) {
	epoch := current.end.Epoch
	if !current.contains(r.cursor) {
		found, err = r.readAfter(ctx, current)
		if err != nil || found.state != Resumed {
			return found, err
		}
		r.nextLimit, epoch = found.nextLimit, found.epoch
		if current.hasEpoch(epoch) {
			r.prefetched = found.batch
		}
	}
	if r.position == notLocated {
		r.cursor.Epoch = epoch
	}
	r.setPosition(epoch, current.end.ID.Before(r.cursor.ID), current)
	return found, nil
}

// locateFresh moves the reader to just before the newest entries. If the room's end was before them when
// Follow was called, it moves the reader to that end instead, so that the reader gets all entries stored
// since then.
func (r *Reader) locateFresh(ctx context.Context, current *view) (*Followed, error) {
	newest, err := r.readNewest(ctx, current, r.start.newest)
	if err != nil {
		return nil, err
	}
	end := cmp.Or(r.cursor, r.window.firstEnd)
	startsAtEnd := end.ID.Before(newest.first.ID) || r.start.newest == 0 && newest.first.ID.Before(end.ID) // newest may be a cached result
	if !startsAtEnd || end.Epoch != newest.epoch && end.Epoch != noEpoch {
		return r.startAt(newest, Fresh, current), nil
	}
	r.cursor = end
	found, err := r.locateCursor(ctx, current)
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return r.followed(Fresh, current, newest), nil
	case found.state == Truncated:
		r.cursor = found.first
		r.setPosition(found.epoch, false, current)
	case found.state == Reset:
		return r.startAt(newest, Fresh, current), nil
	}
	return r.followed(Fresh, current, found), nil
}

// restart moves the cursor past a gap. The reader continues with the first entry that is still kept,
// or with the newest entries if the history was lost.
func (r *Reader) restart(ctx context.Context, current *view, found *readResult) (*Followed, error) {
	if found.state == Reset {
		newest, err := r.readNewest(ctx, current, resetCount)
		if err != nil {
			return nil, err
		}
		return r.startAt(newest, Reset, current), nil
	}
	r.cursor = found.first
	r.setPosition(found.epoch, false, current)
	followed := r.followed(Truncated, current, found)
	followed.First = found.first
	return followed, nil
}

// readNewest reads the newest count entries.
func (r *Reader) readNewest(ctx context.Context, current *view, count int) (*readResult, error) {
	found, err := r.store.sharedReadNewest(ctx, r.granted, current, count)
	if err != nil {
		return nil, fmt.Errorf("read the newest entries of room %q: %w", r.Room, err)
	}
	return found, nil
}

// startAt moves the reader to just before the newest entries in found.
func (r *Reader) startAt(found *readResult, state State, current *view) *Followed {
	r.cursor, r.prefetched = found.first, found.batch
	end := found.first
	if found.batch != nil {
		end = found.batch.Upto
	}
	r.setPosition(found.epoch, current.end.ID.Before(end.ID), current)
	return r.followed(state, current, found)
}

// followed returns a Followed for the reader's cursor. found is the last result from Redis, or nil, and
// may be newer than the view.
func (r *Reader) followed(state State, current *view, found *readResult) *Followed {
	last, n := current.end, current.lastNumber
	if found != nil && (found.epoch != last.Epoch || last.ID.Before(found.end.ID)) {
		last, n = found.end, found.endNumber
	}
	return &Followed{State: state, At: r.cursor, Last: last, LastNumber: n}
}
