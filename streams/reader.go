package streams

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// resetCount is how many entries a reader gets whose history was lost.
	resetCount = 50
	// retryAfter is about when a reader whose read failed is woken to try again.
	retryAfter = 500 * time.Millisecond
	// recheckAfter is how long a reader trusts a cursor that Redis confirmed and the
	// window does not: a former primary may have answered.
	recheckAfter = time.Second
)

// Reader reads one room from a cursor on. It is pulled and holds no entries, so a slow
// reader costs nothing: it reads from an older cursor, in bigger batches.
//
// Besides the cursor, a reader's state is what is known of the cursor's place in the
// room's history. findPlace sets it, and isPlaced reports whether it still holds.
//
//	placement  the cursor is                        next reads                      holds until
//	unplaced   as the caller gave it                the place, then Followed        —
//	placed     in the window's history, up to its   the window, or Redis where the  the view's generation
//	           end                                  window does not reach           changes
//	ahead      past the window's end; Redis vouches prefetched, then signals        the window gets there, or
//	           for it                                                               recheckAfter, or as above
//	foreign    of an epoch that the window does not nothing but signals             recheckAfter, or as above
//	           have; Redis vouches for it
//
// A reader that is not placed any more finds its place again. It sends another Followed
// only if its history was trimmed or lost.
type Reader struct {
	Room string

	granted grant
	store   *Store
	window  *window
	index   int // in window.readers, -1 when closed
	ready   func(*Reader)

	from       From
	cursor     Cursor
	placement  placement
	generation uint64    // of the view that the placement was found with
	placedAt   time.Time // ahead and foreign only: when it was found
	prefetched *Batch    // what was read together with the place, not returned yet

	limit       int64  // how many entries to read from Redis next; 0: maxBatchEntries
	signalsRead uint64 // how many of the window's signals
}

type placement uint8

const (
	unplaced placement = iota
	placed
	ahead
	foreign
)

// Follow returns a Reader of the room, which reads nothing yet: call Next until the Read
// is empty or AtEnd, and again after each call of ready. Other goroutines call ready; it
// must not block or call back. The caller closes the Reader.
func (a Access) Follow(room string, from From, ready func(*Reader)) (*Reader, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return nil, err
	}
	s := a.store
	reader := &Reader{Room: room, granted: granted, store: s, from: from, cursor: from.cursor, ready: ready}
	s.mu.Lock()
	defer s.mu.Unlock()
	reader.window = s.windows[room]
	if reader.window == nil {
		reader.window = newWindow(room)
		s.windows[room] = reader.window
	}
	reader.window.add(reader)
	return reader, nil
}

// Close ends the reading. It may be called from any goroutine, and again. ready is not
// called after it returned.
func (r *Reader) Close() {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if r.window.remove(r) {
		delete(r.store.windows, r.Room)
	}
}

// Next returns what comes after the cursor, and moves the cursor there. After an error the
// cursor is unchanged, and ready is called when it makes sense to try again.
func (r *Reader) Next(ctx context.Context) (Read, error) {
	read, err := r.next(ctx)
	if err != nil && ctx.Err() == nil && !r.store.tailOf(r.Room).away.Load() { // else tailBack wakes it
		time.AfterFunc(retryAfter/2+rand.N(retryAfter), func() { r.window.wakeOne(r) })
	}
	return read, err
}

func (r *Reader) next(ctx context.Context) (Read, error) {
	seen, err := r.window.currentView(ctx, r.store)
	if err != nil {
		return Read{}, err
	}
	if read, ok := r.fromWindow(seen); ok {
		return read, nil
	}
	return r.fromRedis(ctx, seen)
}

// TryNext is Next without waiting for Redis. ok is false if Next would have to wait; then
// nothing was read.
func (r *Reader) TryNext() (read Read, ok bool) {
	seen := r.window.view.Load()
	if seen == nil {
		return Read{}, false
	}
	if read, ok := r.fromWindow(seen); ok {
		return read, true
	}
	read, err := r.fromRedis(canceled, seen) // another reader may have had the same answer already
	return read, err == nil
}

var canceled = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// fromWindow returns what comes next if the reader is placed and needs nothing of Redis.
func (r *Reader) fromWindow(seen *view) (read Read, ok bool) {
	if r.placement == unplaced {
		return Read{}, false
	}
	if !r.isPlaced(seen) {
		if !seen.contains(r.cursor) {
			return Read{}, false
		}
		r.placement, r.generation, r.prefetched = placed, seen.generation, nil
	}
	if batch := r.prefetched; batch != nil {
		r.prefetched = nil
		return r.advance(batch), true
	}
	if r.placement == foreign || !r.cursor.ID.Before(seen.upto.ID) {
		return Read{Signals: r.window.signalsFor(r)}, true
	}
	if batch := seen.after(r.cursor); batch != nil {
		read := r.advance(batch)
		read.AtEnd = r.cursor.ID == seen.upto.ID && r.window.signalCount.Load() == r.signalsRead
		return read, true
	}
	return Read{}, false
}

// fromRedis returns what comes next if the view alone does not tell.
func (r *Reader) fromRedis(ctx context.Context, seen *view) (Read, error) {
	if !r.isPlaced(seen) {
		followed, err := r.findPlace(ctx, seen)
		if err != nil || followed != nil {
			return Read{Followed: followed}, err
		}
		if read, ok := r.fromWindow(seen); ok {
			return read, nil
		}
	}
	return r.catchUp(ctx, seen)
}

// advance returns the batch, or the part of it after the cursor, and moves the cursor to
// its end.
func (r *Reader) advance(batch *Batch) Read {
	batch = batch.rest(r.cursor)
	r.cursor = batch.Upto
	return Read{Batch: batch}
}

// isPlaced reports whether the reader's placement still holds.
func (r *Reader) isPlaced(seen *view) bool {
	if r.placement == unplaced || r.generation != seen.generation {
		return false
	}
	if r.placement == placed {
		return true
	}
	reached := r.placement == ahead && r.prefetched == nil && !seen.upto.ID.Before(r.cursor.ID)
	return !reached && time.Since(r.placedAt) < recheckAfter
}

// setPlacement records a place that Redis found. It is in the history with that epoch,
// and ahead of the window's end or not.
func (r *Reader) setPlacement(epoch string, isAhead bool, seen *view) {
	r.placement, r.generation = placed, seen.generation
	switch {
	case !seen.hasEpoch(epoch):
		r.placement = foreign
	case isAhead:
		r.placement = ahead
	default:
		return
	}
	r.placedAt = time.Now()
	time.AfterFunc(recheckAfter+time.Millisecond, func() { r.window.wakeOne(r) })
}

// findPlace finds the cursor's place in the room's history. It returns nil if the reader
// had one before that is still good.
func (r *Reader) findPlace(ctx context.Context, seen *view) (*Followed, error) {
	first := r.placement == unplaced
	r.prefetched = nil
	if first && r.from.fresh {
		return r.startFromNewest(ctx, seen, Fresh, r.from.newest)
	}
	epoch := seen.upto.Epoch
	if !seen.contains(r.cursor) {
		found, err := r.readAfter(ctx, seen)
		if err != nil {
			return nil, err
		}
		if found.state != Resumed {
			return r.restart(ctx, seen, found)
		}
		r.limit, epoch = found.nextLimit, found.epoch
		if seen.hasEpoch(epoch) {
			r.prefetched = found.batch
		}
	}
	r.setPlacement(epoch, seen.upto.ID.Before(r.cursor.ID), seen)
	if !first {
		return nil, nil
	}
	r.cursor.Epoch = epoch
	return r.followed(Resumed, seen), nil
}

// catchUp reads from Redis towards the window. Each read checks the cursor again: entries
// after it may be trimmed while a slow reader catches up.
func (r *Reader) catchUp(ctx context.Context, seen *view) (Read, error) {
	found, err := r.readAfter(ctx, seen)
	if err != nil {
		return Read{}, err
	}
	if found.state != Resumed {
		followed, err := r.restart(ctx, seen, found)
		return Read{Followed: followed}, err
	}
	if r.setPlacement(found.epoch, false, seen); r.placement == foreign {
		return Read{}, nil
	}
	r.limit = found.nextLimit
	return r.advance(found.batch), nil
}

// readAfter reads what comes after the cursor from Redis, and checks the cursor.
func (r *Reader) readAfter(ctx context.Context, seen *view) (*chunk, error) {
	found, err := r.store.chunkAfter(ctx, r.granted, seen, r.cursor, r.limit)
	if err != nil {
		return nil, fmt.Errorf("read room %q after %v: %w", r.Room, r.cursor, err)
	}
	return found, nil
}

// restart moves a reader that cannot be continued to where the history goes on.
func (r *Reader) restart(ctx context.Context, seen *view, found *chunk) (*Followed, error) {
	if found.state == Reset {
		return r.startFromNewest(ctx, seen, Reset, resetCount)
	}
	r.cursor = found.first
	r.setPlacement(found.epoch, false, seen)
	followed := r.followed(Truncated, seen)
	followed.First = found.first
	return followed, nil
}

// startFromNewest moves the reader to just before the newest count entries.
func (r *Reader) startFromNewest(ctx context.Context, seen *view, state State, count int) (*Followed, error) {
	found, err := r.store.chunkNewest(ctx, r.granted, seen, count)
	if err != nil {
		return nil, fmt.Errorf("read the newest entries of room %q: %w", r.Room, err)
	}
	r.cursor, r.prefetched = found.first, found.batch
	end := found.first
	if found.batch != nil {
		end = found.batch.Upto
	}
	r.setPlacement(found.epoch, seen.upto.ID.Before(end.ID), seen)
	return r.followed(state, seen), nil
}

// followed tells where the reader is now.
func (r *Reader) followed(state State, seen *view) *Followed {
	last, n := seen.upto, seen.n
	if r.placement == foreign {
		last, n = r.cursor, 0
	}
	if r.prefetched != nil && len(r.prefetched.Entries) > 0 && last.ID.Before(r.prefetched.Upto.ID) { // the window is about to get there
		last = r.prefetched.Upto
		n = r.prefetched.Entries[len(r.prefetched.Entries)-1].N
	}
	if last.ID.Before(r.cursor.ID) {
		last = r.cursor
	}
	return &Followed{State: state, At: r.cursor, Last: last, LastN: n}
}
