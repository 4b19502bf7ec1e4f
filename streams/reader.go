package streams

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// resetCount is how many of the newest entries a reader returns after a Reset.
	resetCount = 50
	// retryDelay is the average delay before a reader retries a failed read.
	retryDelay = 500 * time.Millisecond
	// recheckDelay limits how long a reader trusts a lookup that the window does not confirm, because
	// the reply may have come from a former primary.
	recheckDelay = time.Second
)

// Reader reads one room, starting from a cursor. A Reader queues no entries. If its owner is slow, the
// Reader falls behind, and then returns bigger batches.
//
// A reader's position describes where its cursor is relative to the room's window. The method locate
// looks up the cursor and sets the position. Next calls locate again when the position is no longer
// valid. A change of the view's generation invalidates every position.
//
//	position    the cursor is              entered when             left when
//	notLocated  not looked up yet          the reader is created    locate succeeds
//	inHistory   in the window's history,   the window or Redis      the generation changes
//	            not past its end           has the cursor
//	pastWindow  past the window's end      only Redis has the       also when the window reaches the
//	                                       cursor, in this epoch    cursor, or after recheckDelay
//	otherEpoch  in a history that the      only Redis has the       also after recheckDelay
//	            window does not know       cursor
//
// Next first returns the entries that locate has read, if any. From then on, a reader inHistory gets
// entries from the window, or from Redis if the cursor is before the window. A reader in pastWindow
// or otherEpoch gets only signals.
//
// After the first lookup, Next returns a Followed. After a later lookup, it does so only if entries
// after the cursor were trimmed or lost.
//
// In a hidden room, each read from Redis is followed by a query for the entry that made the user a member.
// The order matters: if a removal is stored after the read, the Reader finds it later in the stream, and
// ends there. Entries from the window need no query, because they continue the stream without a gap and so
// include every removal.
type Reader struct {
	Room string

	granted    grant
	store      *Store
	window     *window
	index      int // in window.readers, or -1 when closed
	onReadable func(*Reader)

	start From
	place
	since  ID     // in a hidden room, the Reader ends at the user's first removal after this entry
	closed Closed // if set, the Reader has stopped

	signalsRead uint64 // window.signalCount when Next last returned signals
}

// place is the position of a Reader, with what locate found out about it.
type place struct {
	cursor      Cursor
	position    position
	generation  uint64    // of the view for which the position is valid
	confirmedAt time.Time // when Redis confirmed the cursor; pastWindow and otherEpoch only
	prefetched  *Batch    // entries that locate has read and Next has not returned yet
	nextLimit   int64     // limit of the next read from Redis; 0 means maxBatchEntries
}

type position uint8

const (
	notLocated position = iota
	inHistory
	pastWindow
	otherEpoch
)

// Follow returns a Reader of the room without reading anything. The caller calls Next until
// it returns a Read that is empty or AtEnd, and again whenever the Reader calls onReadable.
// onReadable runs in other goroutines. It must not block or call this package. The caller
// must close the Reader.
func (a Access) Follow(room string, from From, onReadable func(*Reader)) (*Reader, error) {
	granted, err := a.admit(room, reading)
	if err != nil {
		return nil, err
	}
	s := a.store
	reader := &Reader{Room: room, granted: granted, store: s, start: from, place: place{cursor: from.cursor}, onReadable: onReadable}
	s.mu.Lock()
	defer s.mu.Unlock()
	reader.window = s.windows[room]
	if reader.window == nil {
		activityRead, skips := s.tailOf(room).activityPosition(s.keys.activity(bucketOf(room)))
		reader.window = newWindow(room, activityRead, skips, s.lastStored.last(room))
		s.windows[room] = reader.window
	}
	if current := reader.window.view.Load(); from.fresh && current != nil {
		reader.cursor = later(current.end, s.lastStored.last(room))
	}
	reader.window.add(reader)
	return reader, nil
}

// Close stops the Reader. Any goroutine may call it, even more than once. After Close returns, the Reader
// does not call onReadable again.
func (r *Reader) Close() {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if r.window.remove(r) && r.store.windows[r.Room] == r.window {
		delete(r.store.windows, r.Room)
	}
}

// Next returns what follows the cursor, and advances the cursor past it. After an error, the cursor
// is unchanged, and unless ctx has ended, the Reader calls onReadable when the caller should retry.
func (r *Reader) Next(ctx context.Context) (Read, error) {
	read, err := r.next(ctx)
	// While Redis is away, no timer is needed, because tailReconnected wakes every reader.
	if err != nil && ctx.Err() == nil && !r.store.tailOf(r.Room).away.Load() {
		time.AfterFunc(retryDelay/2+rand.N(retryDelay), func() { r.window.wakeOne(r) })
	}
	return read, err
}

func (r *Reader) next(ctx context.Context) (Read, error) {
	current, err := r.window.currentView(ctx, r.store)
	if err != nil {
		return Read{}, err
	}
	if read, ok := r.nextFromWindow(current); ok {
		return r.endAtRemoval(read), nil
	}
	read, err := r.nextFromRedis(ctx, current)
	return r.endAtRemoval(read), err
}

// TryNext is like Next, but does not wait for Redis. If it would have to wait, it returns
// ok = false and leaves the cursor unchanged.
func (r *Reader) TryNext() (read Read, ok bool) {
	current := r.window.view.Load()
	if current == nil {
		return Read{}, false
	}
	if read, ok := r.nextFromWindow(current); ok {
		return r.endAtRemoval(read), true
	}
	if r.granted.ifMember { // looking up the membership would wait for Redis
		return Read{}, false
	}
	read, err := r.nextFromRedis(canceled, current) // succeeds if the result of an identical read is cached
	return r.endAtRemoval(read), err == nil
}

// endAtRemoval ends the reader, and cuts the batch, after an entry that removed the user from a hidden
// room. It ignores earlier removals of a user who has become a member again.
func (r *Reader) endAtRemoval(read Read) Read {
	if read.Batch == nil || !r.granted.ifMember {
		return read
	}
	for _, removed := range read.Batch.removals {
		isNew := read.Batch.After.ID.Before(removed.id) && r.since.Before(removed.id)
		if isNew && removed.userID == r.granted.user.ID {
			batch := read.Batch.through(removed.id)
			r.cursor, r.closed = batch.Upto, Removed
			return Read{Batch: batch, Closed: Removed}
		}
	}
	return read
}

var canceled = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// nextFromWindow returns the next Read from the window. ok is false if it must come from Redis.
func (r *Reader) nextFromWindow(current *view) (read Read, ok bool) {
	if r.closed != "" {
		return Read{AtEnd: true}, true
	}
	if r.window.isDeleted.Load() {
		r.closed = Deleted
		return Read{Closed: Deleted}, true
	}
	if r.position == notLocated {
		return Read{}, false
	}
	if !r.isLocated(current) {
		if r.granted.ifMember || !current.contains(r.cursor) {
			return Read{}, false
		}
		r.position, r.generation, r.prefetched = inHistory, current.generation, nil
	}
	if batch := r.prefetched; batch != nil {
		r.prefetched = nil
		return r.advance(batch), true
	}
	if r.position == otherEpoch || !r.cursor.ID.Before(current.end.ID) {
		return Read{Signals: r.window.signalsFor(r)}, true
	}
	if batch := current.after(r.cursor); batch != nil {
		read := r.advance(batch)
		read.AtEnd = r.cursor.ID == current.end.ID && r.window.signalCount.Load() == r.signalsRead
		return read, true
	}
	return Read{}, false
}

// knownEnd returns the last cursor in the room that the reader knows of after the read.
func (r *Reader) knownEnd(read Read, current *view) Cursor {
	end := current.end
	extend := func(cursor Cursor) {
		if cursor.Epoch != end.Epoch || end.ID.Before(cursor.ID) {
			end = cursor
		}
	}
	if read.Followed != nil {
		extend(read.Followed.Last)
	}
	for _, batch := range []*Batch{read.Batch, r.prefetched} {
		if batch != nil {
			extend(batch.Upto)
		}
	}
	return end
}

// advance returns the part of the batch after the cursor, and moves the cursor to the end
// of the batch.
func (r *Reader) advance(batch *Batch) Read {
	batch = batch.rest(r.cursor)
	r.cursor = batch.Upto
	return Read{Batch: batch}
}
