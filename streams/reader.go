package streams

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// resetCount is the number of entries that a reader gets after its history was lost.
	resetCount = 50
	// retryAfter is the average delay before a failed read is retried.
	retryAfter = 500 * time.Millisecond
	// recheckAfter limits how long a reader trusts a cursor that only Redis confirmed, and
	// not the window: the answer may have come from a former primary.
	recheckAfter = time.Second
)

// Reader reads one room, starting from a cursor. Its owner calls Next when it is ready for
// more. A Reader queues no entries, so a slow one costs nothing: it reads from an older
// cursor, in bigger batches.
//
// A reader's state is its cursor and its placement: where that cursor lies in the room's
// history. findPlace sets the placement, and isPlaced reports whether it is still valid. A
// change of the view's generation always ends it.
//
//	placement  the cursor                           Next returns                    also ends
//	unplaced   has not been looked up               Followed, once it is placed
//	placed     lies in the window's history         entries from the window, or
//	                                                older ones from Redis
//	ahead      is past the window's end, and Redis  prefetched entries, then only   when the window reaches it,
//	           confirmed it                         signals                         or after recheckAfter
//	foreign    has another epoch than the window,   only signals                    after recheckAfter
//	           and Redis confirmed it
//
// When a placement ends, the reader looks its cursor up again. It returns another Followed
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
	generation uint64    // of the view for which the placement is valid
	placedAt   time.Time // ahead and foreign only: when it was found
	prefetched *Batch    // entries that findPlace has read and Next has not returned yet

	limit       int64  // how many entries to read from Redis next; 0: maxBatchEntries
	signalsRead uint64 // value of window.signalCount up to which signals were returned
}

type placement uint8

const (
	unplaced placement = iota
	placed
	ahead
	foreign
)

// Follow returns a Reader of the room without reading anything. The caller calls Next until
// it returns a Read that is empty or AtEnd, and again whenever ready is called. ready runs
// in other goroutines; it must not block, or call back into this package. The caller must
// close the Reader.
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

// Close stops the Reader. It is safe to call from any goroutine, more than once. Once Close
// has returned, ready is not called again.
func (r *Reader) Close() {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if r.window.remove(r) {
		delete(r.store.windows, r.Room)
	}
}

// Next returns what follows the cursor, and advances the cursor past it. After an error the
// cursor is unchanged, and ready is called when it is time to retry.
func (r *Reader) Next(ctx context.Context) (Read, error) {
	read, err := r.next(ctx)
	// While Redis is down no timer is needed: tailBack wakes every reader.
	if err != nil && ctx.Err() == nil && !r.store.tailOf(r.Room).away.Load() {
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

// TryNext is like Next, but does not wait for Redis. ok is false if Next would have to wait;
// then nothing was read.
func (r *Reader) TryNext() (read Read, ok bool) {
	seen := r.window.view.Load()
	if seen == nil {
		return Read{}, false
	}
	if read, ok := r.fromWindow(seen); ok {
		return read, true
	}
	read, err := r.fromRedis(canceled, seen) // succeeds if the answer is cached for another reader
	return read, err == nil
}

var canceled = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// fromWindow returns the next Read from memory. ok is false if that requires Redis.
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

// fromRedis returns the next Read when the view alone is not enough.
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

// setPlacement records that the cursor is in the history with that epoch.
// isAhead reports whether it, or what was read after it, is past the window's end.
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

// findPlace looks up the cursor in the room's history. It returns nil if the reader was
// placed before and continues without a gap.
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

// restart moves the cursor of a reader whose next entries are gone: to the first entry
// still kept, or to the newest ones if the history itself was lost.
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

// followed returns a Followed with the reader's current position.
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
