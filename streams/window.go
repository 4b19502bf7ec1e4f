package streams

import (
	"context"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

const (
	// windowsBytes bounds the entries that the windows of all rooms hold together, about.
	windowsBytes = 32 << 20
	// windowLeast is what each may hold, however many there are.
	windowLeast = 16 << 10
)

// joinTries is how often the first reader looks for the end of a room that moves meanwhile.
// Redis may be far away, and the room never rest for so long. The tail will read on from an
// end that is old already with the next activity, or when it looks around.
const joinTries = 3

// A window is the newest part of a followed room, read once for all its readers
// here. It is a read cache: thrown away at any moment, nothing is wrong.
//
// The tail alone moves it. Readers look at its view without a lock.
type window struct {
	room    string
	joining chan struct{} // taken by the reader that finds the first position
	view    atomic.Pointer[view]

	mu      sync.Mutex
	readers []*Reader
	moved   bool      // there was activity before the first position was known
	signals []*Signal // the newest, signalsKept at most
	said    atomic.Uint64
}

// view is what a window holds at one moment, immutable: the batches from start
// to upto, without a break.
type view struct {
	generation  uint64 // another one: every reader checks its cursor anew
	start, upto Cursor
	n           int64 // of the entry at upto
	proven      bool  // the tail has seen upto itself
	batches     []*Batch
	bytes       int
}

// generations number the views of all windows, so that no number comes twice.
var generations atomic.Uint64

// after is the rest of the batch that the cursor lies in, nil if it lies before the window.
func (v *view) after(cursor Cursor) *Batch {
	if cursor.ID.Before(v.start.ID) {
		return nil
	}
	if newest := v.batches[len(v.batches)-1]; cursor.ID == newest.After.ID {
		return newest
	}
	i := sort.Search(len(v.batches), func(i int) bool { return cursor.ID.Before(v.batches[i].Upto.ID) })
	return v.batches[i].from(cursor)
}

// holds says whether the window itself proves that the cursor is a place in this history.
func (v *view) holds(cursor Cursor) bool {
	if cursor.Epoch != "" && cursor.Epoch != v.upto.Epoch || cursor.ID.IsZero() {
		return false
	}
	if cursor.ID == v.start.ID || cursor.ID == v.upto.ID {
		return true
	}
	if cursor.ID.Before(v.start.ID) || v.upto.ID.Before(cursor.ID) {
		return false
	}
	i := sort.Search(len(v.batches), func(i int) bool { return !v.batches[i].Upto.ID.Before(cursor.ID) })
	entries := v.batches[i].Entries
	j := sort.Search(len(entries), func(j int) bool { return !entries[j].ID.Before(cursor.ID) })
	return j < len(entries) && entries[j].ID == cursor.ID
}

// knows says whether what Redis says of that epoch continues what the view holds. If
// not, the tail will notice, and then there is another generation.
func (v *view) knows(epoch string) bool {
	return v.upto.Epoch == epoch || v.upto.Epoch == noEpoch
}

func newWindow(room string) *window {
	return &window{room: room, joining: make(chan struct{}, 1)}
}

// joined is the window's view; the first reader to ask finds its position.
func (w *window) joined(ctx context.Context, s *Store) (*view, error) {
	if seen := w.view.Load(); seen != nil {
		return seen, nil
	}
	select {
	case w.joining <- struct{}{}:
		defer func() { <-w.joining }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for tries := 1; ; tries++ {
		if seen := w.view.Load(); seen != nil {
			return seen, nil
		}
		var found *place
		err := s.flights.slot(ctx, func(ctx context.Context) (err error) {
			found, err = s.find(ctx, w.room, ID{}, "+", 0, ID{})
			return err
		})
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		if !w.moved || tries == joinTries {
			w.view.Store(standing(found))
			s.tailOf(w.room).prove(w)
		}
		w.moved = false
		w.mu.Unlock()
	}
}

// standing is the empty view at the end of a room.
func standing(found *place) *view {
	return &view{generation: generations.Add(1), start: found.end(), upto: found.end(), n: found.n}
}

// touched is the view that activity moves on, nil if the position is yet to be found.
func (w *window) touched() *view {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.view.Load()
	w.moved = w.moved || seen == nil
	return seen
}

// publish moves the window, of which the end was found good, on by the entries after
// that, and wakes its readers.
func (w *window) publish(epoch string, entries []Entry, most int) {
	seen := w.view.Load()
	if len(entries) == 0 {
		if !seen.proven {
			next := *seen
			next.proven = true
			w.view.Store(&next)
		}
		return
	}
	next := &view{generation: seen.generation, n: seen.n, proven: true, start: seen.start, upto: Cursor{entries[len(entries)-1].ID, epoch}}
	for i := range entries {
		next.n = max(next.n, entries[i].N) // what is unreadable has none
	}
	added := cut(w.room, seen.upto, next.upto, marred(w.room, entries))
	next.batches = append(append(next.batches, seen.batches...), added...)
	next.bytes = seen.bytes
	for _, batch := range added {
		next.bytes += batch.size()
	}
	if erases(entries) {
		// What was erased must not be read again from here, nor from a flight.
		next.shed(len(next.batches) - len(added))
		next.generation = generations.Add(1)
	}
	for next.bytes > most && len(next.batches) > len(added) || len(next.batches) > 256 {
		next.shed(1)
	}
	w.view.Store(next)
	w.wake()
}

// fit lets go of the oldest batches until the window holds no more than most.
func (w *window) fit(most int) {
	seen := w.view.Load()
	if seen.bytes <= most {
		return
	}
	next := *seen
	next.batches = slices.Clone(seen.batches)
	for next.bytes > most {
		next.shed(1)
	}
	w.view.Store(&next)
}

// shed lets go of the oldest batches, in a view that is being made.
func (v *view) shed(count int) {
	for _, batch := range v.batches[:count] {
		v.bytes -= batch.size()
		v.start = batch.Upto
	}
	clear(v.batches[:count])
	v.batches = v.batches[count:]
}

func erases(entries []Entry) bool {
	for i := range entries {
		if entries[i].Kind == Delete {
			return true
		}
	}
	return false
}

// lost puts the window at the end of a history that is no longer the one it held.
func (w *window) lost(found *place) {
	next := standing(found)
	next.proven = true
	w.view.Store(next)
	w.wake()
}

// doubted makes every reader check its cursor, though the window's own was found good.
func (w *window) doubted() {
	next := *w.view.Load()
	next.generation = generations.Add(1)
	w.view.Store(&next)
	w.wake()
}

// wake tells the readers that there is something to read.
func (w *window) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, reader := range w.readers {
		reader.ready(reader)
	}
}

// wakeOne tells one reader, if it is not closed.
func (w *window) wakeOne(reader *Reader) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if reader.index >= 0 {
		reader.ready(reader)
	}
}

// add and remove are called under the Store's lock, which guards who has a window.
func (w *window) add(reader *Reader) {
	w.mu.Lock()
	defer w.mu.Unlock()
	reader.index = len(w.readers)
	reader.heard = w.said.Load()
	w.readers = append(w.readers, reader)
}

func (w *window) remove(reader *Reader) (empty bool) {
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

// window is the room's window, nil if nobody here follows it.
func (s *Store) window(room string) *window {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.windows[room]
}

// tailOf is the tail that moves the room's window.
func (s *Store) tailOf(room string) *tail { return s.tails[bucketOf(room)%len(s.tails)] }

// windowBytes is one window's share of the memory for windows.
func (s *Store) windowBytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(windowLeast, s.windowsBytes/max(1, len(s.windows)))
}
