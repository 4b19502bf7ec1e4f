package streams

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// maxWindowsBytes is the approximate limit for the entries in all windows together.
	maxWindowsBytes = 32 << 20
	// minWindowBytes is the lower bound of a window's share, regardless of the number of windows.
	minWindowBytes = 16 << 10
	// maxWindowBatches limits the batches in one window.
	maxWindowBatches = 256
)

// maxFindTries limits how often the first reader looks up the room's end. In a busy room, the end may
// move during every lookup. After the last lookup, the window may start at an outdated end. The tail
// then reads the missing entries at the next activity, or when it checks idle rooms.
const maxFindTries = 3

// A window holds the newest entries of a room that has readers in this process. All of these readers
// share it. It is a cache, and the Store may drop it at any time.
//
// Only the tail advances it. Readers load its view without a lock.
type window struct {
	room    string
	finding chan struct{} // holds a token while a reader looks up the room's end
	view    atomic.Pointer[view]

	// The state when the window was created. See readFirstView.
	activityRead string // ID of the last activity that the tail had read
	skips        int    // how often the tail had skipped activity
	lastStored   Cursor // the last entry that this process had stored in the room, or zero
	firstEnd     Cursor // the room's end at that time, and the first view's start; set with the first view

	// stored lists the entries that the tail has found in the activity since then, until the window has a
	// view. The Store's mu guards it.
	stored []Cursor

	lookups   memberLookups
	isDeleted atomic.Bool // the room was deleted, and the window is no longer in the Store

	mu                sync.Mutex
	readers           []*Reader
	movedDuringLookup bool      // there was activity while a reader looked up the room's end
	signals           []*Signal // the newest signals, at most maxSignals
	signalCount       atomic.Uint64
	presenceSignals   atomic.Uint64 // number of Came, Left and Count signals
}

func newWindow(room, activityRead string, skips int, acknowledged Cursor) *window {
	return &window{room: room, finding: make(chan struct{}, 1), activityRead: activityRead, skips: skips, lastStored: acknowledged}
}

// currentView returns the window's view. The first reader to call it finds the room's end.
func (w *window) currentView(ctx context.Context, s *Store) (*view, error) {
	if current := w.view.Load(); current != nil {
		return current, nil
	}
	select {
	case w.finding <- struct{}{}:
		defer func() { <-w.finding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for tries := 1; ; tries++ {
		if current := w.view.Load(); current != nil {
			return current, nil
		}
		var first *view
		err := s.sharedReads.withSlot(ctx, func(ctx context.Context) (err error) {
			first, err = s.readFirstView(ctx, w)
			return err
		})
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		if !w.movedDuringLookup || tries == maxFindTries {
			w.firstEnd = first.start
			w.view.Store(first)
			s.tailOf(w.room).queueCheck(w)
		}
		w.movedDuringLookup = false
		w.mu.Unlock()
	}
}

// markMoved returns the window's view. If there is none yet, it returns nil, and the reader that is
// looking up the room's end will repeat the lookup.
func (w *window) markMoved() *view {
	w.mu.Lock()
	defer w.mu.Unlock()
	current := w.view.Load()
	w.movedDuringLookup = w.movedDuringLookup || current == nil
	return current
}

// publish appends entries to the window, drops old batches to stay within maxBytes, and wakes
// the readers. The entries must follow the window's end without a gap.
func (w *window) publish(epoch string, entries []Entry, maxBytes int) {
	current := w.view.Load()
	if len(entries) == 0 {
		if !current.confirmed {
			next := *current
			next.confirmed = true
			w.view.Store(&next)
		}
		return
	}
	next := &view{generation: current.generation, lastNumber: current.lastNumber, confirmed: true, start: current.start, end: Cursor{entries[len(entries)-1].ID, epoch}}
	for i := range entries {
		next.lastNumber = max(next.lastNumber, entries[i].Number) // an Unreadable entry has no number
	}
	added := splitBatches(w.room, current.end, next.end, entries)
	next.batches = append(append(next.batches, current.batches...), added...)
	next.bytes = current.bytes
	for _, batch := range added {
		next.bytes += batch.size()
	}
	if hasDeletion(entries) {
		// Readers must not receive deleted entries from the window or from a cached read.
		next.dropOldest(len(next.batches) - len(added))
		next.generation = generations.Add(1)
	}
	for next.bytes > maxBytes && len(next.batches) > len(added) || len(next.batches) > maxWindowBatches {
		next.dropOldest(1)
	}
	w.view.Store(next)
	w.wake()
}

func hasDeletion(entries []Entry) bool {
	for i := range entries {
		if entries[i].Kind == Delete {
			return true
		}
	}
	return false
}

// shrinkTo drops the oldest batches until the window holds at most maxBytes.
func (w *window) shrinkTo(maxBytes int) {
	current := w.view.Load()
	if current.bytes <= maxBytes {
		return
	}
	next := *current
	next.batches = slices.Clone(current.batches)
	for next.bytes > maxBytes {
		next.dropOldest(1)
	}
	w.view.Store(&next)
}

// reset empties the window and moves it to the end of the history that found describes.
func (w *window) reset(found *roomInfo) {
	next := emptyView(found)
	next.confirmed = true
	w.view.Store(next)
	w.wake()
}

// invalidate makes every reader look up its cursor again.
func (w *window) invalidate() {
	next := *w.view.Load()
	next.generation = generations.Add(1)
	w.view.Store(&next)
	w.wake()
}

// wake calls every reader's onReadable.
func (w *window) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, reader := range w.readers {
		reader.onReadable(reader)
	}
}

// wakeOne calls one reader's onReadable, unless the reader is closed.
func (w *window) wakeOne(reader *Reader) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if reader.index >= 0 {
		reader.onReadable(reader)
	}
}

// add adds a reader. The caller holds the Store's mu.
func (w *window) add(reader *Reader) {
	w.mu.Lock()
	defer w.mu.Unlock()
	reader.index = len(w.readers)
	reader.signalsRead = w.signalCount.Load()
	w.readers = append(w.readers, reader)
}

// remove removes a reader, and reports whether it was the last one. Further calls have no effect.
// The caller holds the Store's mu.
func (w *window) remove(reader *Reader) (wasLast bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if reader.index < 0 {
		return false
	}
	last := len(w.readers) - 1
	moved := w.readers[last]
	w.readers[reader.index], moved.index = moved, reader.index
	w.readers[last] = nil
	w.readers = w.readers[:last]
	reader.index = -1
	return last == 0
}

// window returns the room's window, or nil if the room has no readers in this process.
func (s *Store) window(room string) *window {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.windows[room]
}

// tailOf returns the tail that reads the room.
func (s *Store) tailOf(room string) *tail { return s.tails[bucketOf(room)%len(s.tails)] }

// windowShare returns how many bytes each window may hold.
func (s *Store) windowShare() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(minWindowBytes, s.maxWindowsBytes/max(1, len(s.windows)))
}
