package streams

import (
	"sort"
	"sync/atomic"
)

// A view is the content of a window at one moment: consecutive batches from start to
// upto. It is immutable.
type view struct {
	generation  uint64 // readers must find their place again when it changes
	start, upto Cursor
	n           int64 // number of the entry at upto
	confirmed   bool  // the tail's own connection has seen upto
	batches     []*Batch
	bytes       int
}

// generations numbers the views of all windows, so that no number is used twice.
var generations atomic.Uint64

// emptyView returns a view at the end of the room, which holds nothing.
func emptyView(found *roomInfo) *view {
	return &view{generation: generations.Add(1), start: found.end(), upto: found.end(), n: found.n}
}

// after returns the rest of the batch that the cursor lies in, nil if the cursor is
// before the window. The cursor must be before upto.
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

// contains reports whether the view itself proves that the cursor is in this history.
func (v *view) contains(cursor Cursor) bool {
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

// hasEpoch reports whether entries of that epoch may continue the view. If not, the tail
// will notice, and publish a view of another generation.
func (v *view) hasEpoch(epoch string) bool {
	return v.upto.Epoch == epoch || v.upto.Epoch == noEpoch
}

// dropOldest removes the oldest batches from a view that is not published yet.
func (v *view) dropOldest(count int) {
	for _, batch := range v.batches[:count] {
		v.bytes -= batch.size()
		v.start = batch.Upto
	}
	clear(v.batches[:count])
	v.batches = v.batches[count:]
}
