package streams

import (
	"sort"
	"sync/atomic"
)

// A view is an immutable snapshot of a window: consecutive batches from start to end.
type view struct {
	generation uint64 // readers must look up their cursors again when it changes
	start, end Cursor
	lastNumber int64 // number of the entry at end
	confirmed  bool  // the tail has found end on its own connection
	batches    []*Batch
	bytes      int
}

// generations is the latest generation of any window. All windows share this counter, so no two generations
// are equal.
var generations atomic.Uint64

// emptyView returns a view without entries, at the end of the room.
func emptyView(found *roomInfo) *view {
	return &view{generation: generations.Add(1), start: found.end(), end: found.end(), lastNumber: found.lastNumber}
}

// after returns the entries after the cursor in the batch that contains it, or nil if the
// cursor is before the window. The cursor must be before the view's end.
func (v *view) after(cursor Cursor) *Batch {
	if cursor.ID.Before(v.start.ID) {
		return nil
	}
	if newest := v.batches[len(v.batches)-1]; cursor.ID == newest.After.ID {
		return newest
	}
	i := sort.Search(len(v.batches), func(i int) bool { return cursor.ID.Before(v.batches[i].Upto.ID) })
	return v.batches[i].rest(cursor)
}

// contains reports whether the view alone proves that its history contains the cursor.
func (v *view) contains(cursor Cursor) bool {
	if cursor.Epoch != "" && cursor.Epoch != v.end.Epoch || cursor.ID.IsZero() {
		return false
	}
	if cursor.ID == v.start.ID || cursor.ID == v.end.ID {
		return true
	}
	if cursor.ID.Before(v.start.ID) || v.end.ID.Before(cursor.ID) {
		return false
	}
	i := sort.Search(len(v.batches), func(i int) bool { return !v.batches[i].Upto.ID.Before(cursor.ID) })
	entries := v.batches[i].Entries
	j := sort.Search(len(entries), func(j int) bool { return !entries[j].ID.Before(cursor.ID) })
	return j < len(entries) && entries[j].ID == cursor.ID
}

// hasEpoch reports whether entries with the epoch may continue the view. If not, the tail will notice
// this as well, and reset the window.
func (v *view) hasEpoch(epoch string) bool {
	return v.end.Epoch == epoch || v.end.Epoch == noEpoch
}

// dropOldest removes the count oldest batches. The view must not be published yet.
func (v *view) dropOldest(count int) {
	for _, batch := range v.batches[:count] {
		v.bytes -= batch.size()
		v.start = batch.Upto
	}
	clear(v.batches[:count])
	v.batches = v.batches[count:]
}
