package streams

import (
	"context"
	"fmt"
	"time"
)

// nextFromRedis returns the next Read if the window does not have it. In a hidden room, it then checks
// that the user is a member.
func (r *Reader) nextFromRedis(ctx context.Context, current *view) (Read, error) {
	before := r.place
	read, err := r.readRedis(ctx, current)
	if err != nil || !r.granted.ifMember {
		return read, err
	}
	member, err := r.lookUpMember(ctx, r.knownEnd(read, current))
	if err != nil {
		r.place = before
		return Read{}, err
	}
	start := before.cursor
	if read.Followed != nil {
		start = read.Followed.At
	}
	wasMember := before.position != notLocated
	switch {
	case member.Role != NoRole:
		r.since = member.Since
	case wasMember && start.ID.Before(member.Since): // the removal comes later in the stream
		r.since = member.Since.previous()
	case wasMember && member.Since.IsZero(): // the list of members is gone
		r.closed = Deleted
	default:
		r.closed = Removed
	}
	if r.closed != "" {
		return Read{Closed: r.closed}, nil
	}
	return read, nil
}

// readRedis is nextFromRedis without the check that the user is a member.
func (r *Reader) readRedis(ctx context.Context, current *view) (Read, error) {
	if !r.isLocated(current) {
		followed, err := r.locate(ctx, current)
		if err != nil || followed != nil {
			return Read{Followed: followed}, err
		}
		if read, ok := r.nextFromWindow(current); ok {
			return read, nil
		}
	}
	return r.catchUp(ctx, current)
}

// isLocated reports whether the reader's position is still valid.
func (r *Reader) isLocated(current *view) bool {
	if r.position == notLocated || r.generation != current.generation {
		return false
	}
	if r.position == inHistory {
		return true
	}
	isReached := r.position == pastWindow && r.prefetched == nil && !current.end.ID.Before(r.cursor.ID)
	return !isReached && time.Since(r.confirmedAt) < recheckDelay
}

// setPosition records that the cursor is in the history with the epoch. isPastWindow reports whether the
// cursor, or an entry read after it, is past the window's end.
func (r *Reader) setPosition(epoch string, isPastWindow bool, current *view) {
	r.position, r.generation = inHistory, current.generation
	switch {
	case !current.hasEpoch(epoch):
		r.position = otherEpoch
	case isPastWindow:
		r.position = pastWindow
	default:
		return
	}
	r.confirmedAt = time.Now()
	time.AfterFunc(recheckDelay+time.Millisecond, func() { r.window.wakeOne(r) })
}

// catchUp reads the next batch before the window from Redis. Each call checks the cursor
// again, because entries after it may be trimmed while a slow reader catches up.
func (r *Reader) catchUp(ctx context.Context, current *view) (Read, error) {
	found, err := r.readAfter(ctx, current)
	if err != nil {
		return Read{}, err
	}
	if found.state != Resumed {
		followed, err := r.restart(ctx, current, found)
		return Read{Followed: followed}, err
	}
	if r.setPosition(found.epoch, false, current); r.position == otherEpoch {
		return Read{}, nil
	}
	r.nextLimit = found.nextLimit
	return r.advance(found.batch), nil
}

// readAfter checks the cursor in Redis, and reads the entries after it.
func (r *Reader) readAfter(ctx context.Context, current *view) (*readResult, error) {
	found, err := r.store.sharedReadAfter(ctx, r.granted, current, r.cursor, r.nextLimit)
	if err != nil {
		return nil, fmt.Errorf("read room %q after %v: %w", r.Room, r.cursor, err)
	}
	return found, nil
}
