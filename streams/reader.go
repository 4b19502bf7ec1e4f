package streams

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// From is where a reader begins.
type From struct {
	cursor Cursor
	last   int
	fresh  bool
}

// After begins after the cursor.
func After(cursor Cursor) From { return From{cursor: cursor} }

// Newest begins with the newest count entries, 0 to 500, and reads what comes.
func Newest(count int) From { return From{last: count, fresh: true} }

// resetLast is how many entries a reader gets whose history was lost.
const resetLast = 50

// retryAfter is about when a reader whose read failed is told to ask again.
const retryAfter = 500 * time.Millisecond

// Read is one step of a reader: at most one of the three is set, and none when
// there is nothing to read. AtEnd says that there is nothing more for now: ready is
// called when there is. Without it there may be.
type Read struct {
	Followed *Followed
	Batch    *Batch
	Signals  []*Signal
	AtEnd    bool
}

// IsEmpty says that there was nothing to read.
func (r *Read) IsEmpty() bool { return r.Followed == nil && r.Batch == nil && r.Signals == nil }

// Followed says where a reader stands: once at first, and again when Redis lost
// or trimmed data under it.
type Followed struct {
	State State
	At    Cursor // the next batch begins here
	First Cursor // Truncated only: before the first entry still kept
	Last  Cursor // the room's end just now: at it, the reader has caught up
	LastN int64  // number of the entry there
}

// Reader reads one room from one cursor on. It is pulled: it holds a place and
// nothing else, so a slow one costs nothing, and asks again from further back.
type Reader struct {
	Room string

	granted grant
	store   *Store
	window  *window
	index   int // in window.readers, -1 when closed
	ready   func(*Reader)

	from       From
	cursor     Cursor
	generation uint64    // of the view that the cursor was checked against; 0: not yet
	newer      bool      // it may be past what the window had then, and is checked again when the window is there
	apart      bool      // it is in a history that the window does not know
	asked      time.Time // when that was found
	fetched    *Batch    // read together with the place
	most       int64     // entries to ask for at a time; 0: batchEntries
	heard      uint64    // how many of the window's signals
}

// Follow makes a reader of the room. It reads nothing yet: call Next until it
// returns nothing, then again after ready was called. ready is called from other
// goroutines, must not block and must not call back. The caller closes the Reader.
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

// Close ends the reading. ready is not called after it. Closing again does nothing.
func (r *Reader) Close() {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if r.window.remove(r) {
		delete(r.store.windows, r.Room)
	}
}

// Next returns what comes after the cursor, and moves it there. On an error the
// cursor stays: ready is called when it makes sense to ask again.
func (r *Reader) Next(ctx context.Context) (Read, error) {
	read, err := r.next(ctx)
	if err != nil && ctx.Err() == nil && !r.store.tailOf(r.Room).away.Load() { // back wakes everybody
		time.AfterFunc(retryAfter/2+rand.N(retryAfter), func() { r.window.wakeOne(r) })
	}
	return read, err
}

// TryNext is Next without waiting for Redis. ok is false if Next would have
// to ask it; then nothing was read.
func (r *Reader) TryNext() (read Read, ok bool) {
	seen := r.window.view.Load()
	if seen == nil {
		return Read{}, false
	}
	if read, ok := r.held(seen); ok {
		return read, true
	}
	read, err := r.nextOf(ended, seen)
	return read, err == nil
}

// ended is the context of who does not wait: an answer that came already for another
// is taken, a question is put, and its answer left for later.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func (r *Reader) held(seen *view) (Read, bool) {
	if seen == nil || r.generation == 0 {
		return Read{}, false
	}
	if !r.checked(seen) {
		if !seen.holds(r.cursor) {
			return Read{}, false
		}
		r.generation, r.newer, r.apart, r.fetched = seen.generation, false, false, nil
	}
	if batch := r.fetched; batch != nil {
		r.fetched = nil
		return r.step(batch), true
	}
	if r.apart || !r.cursor.ID.Before(seen.upto.ID) {
		return Read{Signals: r.window.signalsFor(r)}, true
	}
	if batch := seen.after(r.cursor); batch != nil {
		read := r.step(batch)
		read.AtEnd = r.cursor.ID == seen.upto.ID && r.window.said.Load() == r.heard
		return read, true
	}
	return Read{}, false
}

// checked says whether the cursor is known to be a place of the view's history.
func (r *Reader) checked(seen *view) bool {
	if r.generation != seen.generation {
		return false
	}
	if !r.newer && !r.apart {
		return true
	}
	there := r.fetched == nil && !r.apart && !seen.upto.ID.Before(r.cursor.ID)
	return !there && time.Since(r.asked) < unprovenMost
}

// unprovenMost is how long a reader stays at a place that only Redis vouched for before
// it asks again: what answered may have been a primary that is one no more.
const unprovenMost = time.Second

// stands notes what the window does not prove of the place just found, in a history with
// that epoch. If it is not the window's, the window may know better soon.
func (r *Reader) stands(epoch string, newer bool, seen *view) {
	r.generation, r.newer, r.apart = seen.generation, newer, !seen.knows(epoch)
	if r.newer || r.apart {
		r.asked = time.Now()
		time.AfterFunc(unprovenMost+time.Millisecond, func() { r.window.wakeOne(r) })
	}
}

func (r *Reader) next(ctx context.Context) (Read, error) {
	seen, err := r.window.joined(ctx, r.store)
	if err != nil {
		return Read{}, err
	}
	if read, ok := r.held(seen); ok {
		return read, nil
	}
	return r.nextOf(ctx, seen)
}

// nextOf is what comes next when the view does not hold it.
func (r *Reader) nextOf(ctx context.Context, seen *view) (Read, error) {
	if !r.checked(seen) {
		followed, err := r.place(ctx, seen)
		if err != nil || followed != nil {
			return Read{Followed: followed}, err
		}
		if read, ok := r.held(seen); ok {
			return read, nil
		}
	}
	return r.catchUp(ctx, seen)
}

// step moves on by a batch, or by the part of it that is not read yet.
func (r *Reader) step(batch *Batch) Read {
	batch = batch.from(r.cursor)
	r.cursor = batch.Upto
	return Read{Batch: batch}
}

// place finds the reader's place in the history that the view is of. It returns
// nothing for a place that was told before and is still good.
func (r *Reader) place(ctx context.Context, seen *view) (*Followed, error) {
	first := r.generation == 0
	r.fetched = nil
	if first && r.from.fresh {
		return r.begin(ctx, seen, Fresh, r.from.last)
	}
	epoch := seen.upto.Epoch
	if !seen.holds(r.cursor) {
		found, err := r.stretch(ctx, seen)
		if err != nil {
			return nil, err
		}
		if found.state != Resumed {
			return r.broken(ctx, seen, found)
		}
		r.most, epoch = found.most, found.epoch
		if seen.knows(epoch) {
			r.fetched = found.batch
		}
	}
	r.stands(epoch, seen.upto.ID.Before(r.cursor.ID), seen)
	if !first {
		return nil, nil
	}
	r.cursor.Epoch = epoch
	return r.followed(Resumed, seen), nil
}

// catchUp reads from Redis towards the window, checking the cursor again: what
// comes after it may be trimmed while a slow reader makes its way.
func (r *Reader) catchUp(ctx context.Context, seen *view) (Read, error) {
	found, err := r.stretch(ctx, seen)
	if err != nil {
		return Read{}, err
	}
	if found.state != Resumed {
		followed, err := r.broken(ctx, seen, found)
		return Read{Followed: followed}, err
	}
	if r.stands(found.epoch, false, seen); r.apart {
		return Read{}, nil
	}
	r.most = found.most
	return r.step(found.batch), nil
}

// stretch asks Redis for what comes after the cursor, and whether it is still good.
func (r *Reader) stretch(ctx context.Context, seen *view) (*stretch, error) {
	found, err := r.store.stretchAfter(ctx, r.granted, seen, r.cursor, r.most)
	if err != nil {
		return nil, fmt.Errorf("read room %q after %v: %w", r.Room, r.cursor, err)
	}
	return found, nil
}

// broken puts the reader where the history goes on.
func (r *Reader) broken(ctx context.Context, seen *view, found *stretch) (*Followed, error) {
	if found.state == Reset {
		return r.begin(ctx, seen, Reset, resetLast)
	}
	r.cursor = found.first
	r.stands(found.epoch, false, seen)
	followed := r.followed(Truncated, seen)
	followed.First = found.first
	return followed, nil
}

// followed says where the reader stands now.
func (r *Reader) followed(state State, seen *view) *Followed {
	last, n := seen.upto, seen.n
	if r.apart {
		last, n = r.cursor, 0
	}
	if r.fetched != nil && len(r.fetched.Entries) > 0 && last.ID.Before(r.fetched.Upto.ID) { // the tail is on its way there
		last = r.fetched.Upto
		n = r.fetched.Entries[len(r.fetched.Entries)-1].N
	}
	if last.ID.Before(r.cursor.ID) {
		last = r.cursor
	}
	return &Followed{State: state, At: r.cursor, Last: last, LastN: n}
}

// begin starts from the newest entries.
func (r *Reader) begin(ctx context.Context, seen *view, state State, last int) (*Followed, error) {
	found, err := r.store.stretchNewest(ctx, r.granted, seen, last)
	if err != nil {
		return nil, fmt.Errorf("read the newest of room %q: %w", r.Room, err)
	}
	r.cursor, r.fetched = found.first, found.batch
	end := found.first
	if found.batch != nil {
		end = found.batch.Upto
	}
	r.stands(found.epoch, seen.upto.ID.Before(end.ID), seen)
	return r.followed(state, seen), nil
}
