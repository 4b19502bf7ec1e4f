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
	// minWindowBytes is the least that one window may hold, even if there are many windows.
	minWindowBytes = 16 << 10
	// maxWindowBatches bounds the batches of one window.
	maxWindowBatches = 256
)

// maxFindTries limits how often the first reader looks up the end of a room that moves during
// each lookup: a busy room may never be quiet for one round trip to Redis. After the last try
// the window starts at an outdated end. The tail reads what is missing at the next activity,
// or when it checks idle rooms.
const maxFindTries = 3

// A window is the newest part of a room that has readers in this process, read once for all
// of them. It is a cache: it may be dropped at any moment.
//
// Only the tail moves it. Readers load its view without a lock.
type window struct {
	room    string
	finding chan struct{} // holds a token while a reader looks for the first position
	view    atomic.Pointer[view]

	mu          sync.Mutex
	readers     []*Reader
	sawActivity bool      // while there was no view yet
	signals     []*Signal // the newest maxSignals
	signalCount atomic.Uint64
}

func newWindow(room string) *window {
	return &window{room: room, finding: make(chan struct{}, 1)}
}

// currentView returns the window's view. The first reader to call it finds the room's end.
func (w *window) currentView(ctx context.Context, s *Store) (*view, error) {
	if seen := w.view.Load(); seen != nil {
		return seen, nil
	}
	select {
	case w.finding <- struct{}{}:
		defer func() { <-w.finding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for tries := 1; ; tries++ {
		if seen := w.view.Load(); seen != nil {
			return seen, nil
		}
		var found *roomInfo
		err := s.sharedReads.withSlot(ctx, func(ctx context.Context) (err error) {
			found, err = s.readInfo(ctx, w.room, ID{}, "+", 0, ID{})
			return err
		})
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		if !w.sawActivity || tries == maxFindTries {
			w.view.Store(emptyView(found))
			s.tailOf(w.room).confirmSoon(w)
		}
		w.sawActivity = false
		w.mu.Unlock()
	}
}

// noteActivity returns the view that the room's activity should advance. If there is no view
// yet, it returns nil, and makes the reader that is looking up the room's end look again.
func (w *window) noteActivity() *view {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.view.Load()
	w.sawActivity = w.sawActivity || seen == nil
	return seen
}

// publish appends entries to the window, drops old batches so that it holds at most maxBytes,
// and wakes its readers. The caller has checked that the entries follow the window's end.
func (w *window) publish(epoch string, entries []Entry, maxBytes int) {
	seen := w.view.Load()
	if len(entries) == 0 {
		if !seen.confirmed {
			next := *seen
			next.confirmed = true
			w.view.Store(&next)
		}
		return
	}
	next := &view{generation: seen.generation, n: seen.n, confirmed: true, start: seen.start, upto: Cursor{entries[len(entries)-1].ID, epoch}}
	for i := range entries {
		next.n = max(next.n, entries[i].N) // an Unreadable entry has none
	}
	added := splitBatches(w.room, seen.upto, next.upto, entries)
	next.batches = append(append(next.batches, seen.batches...), added...)
	next.bytes = seen.bytes
	for _, batch := range added {
		next.bytes += batch.size()
	}
	if hasDeletion(entries) {
		// Deleted entries must not be read again, from here or from a shared read.
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
	seen := w.view.Load()
	if seen.bytes <= maxBytes {
		return
	}
	next := *seen
	next.batches = slices.Clone(seen.batches)
	for next.bytes > maxBytes {
		next.dropOldest(1)
	}
	w.view.Store(&next)
}

// reset empties the window and moves it to the end of a different history.
func (w *window) reset(found *roomInfo) {
	next := emptyView(found)
	next.confirmed = true
	w.view.Store(next)
	w.wake()
}

// invalidate makes every reader find its place again.
func (w *window) invalidate() {
	next := *w.view.Load()
	next.generation = generations.Add(1)
	w.view.Store(&next)
	w.wake()
}

// wake calls every reader's ready.
func (w *window) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, reader := range w.readers {
		reader.ready(reader)
	}
}

// wakeOne calls one reader's ready, unless the reader is closed.
func (w *window) wakeOne(reader *Reader) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if reader.index >= 0 {
		reader.ready(reader)
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

// remove removes a reader if it is still there, and reports whether it was the last one.
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

// tailOf returns the tail that moves the room's window.
func (s *Store) tailOf(room string) *tail { return s.tails[bucketOf(room)%len(s.tails)] }

// windowShare returns how many bytes one window may hold.
func (s *Store) windowShare() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(minWindowBytes, s.maxWindowsBytes/max(1, len(s.windows)))
}
