package streams

// From is where a reader begins.
type From struct {
	cursor Cursor
	newest int
	fresh  bool // at the newest entries, not after the cursor
}

// After begins after the cursor.
func After(cursor Cursor) From { return From{cursor: cursor} }

// Newest begins with the newest count entries, 0 to 500.
func Newest(count int) From { return From{newest: count, fresh: true} }

// Read is one step of a reader. At most one of Followed, Batch and Signals is set. AtEnd
// reports that there is nothing more for now: ready is called when there is. Without
// AtEnd there may be more.
type Read struct {
	Followed *Followed
	Batch    *Batch
	Signals  []*Signal
	AtEnd    bool
}

// IsEmpty reports whether there was nothing to read.
func (r *Read) IsEmpty() bool { return r.Followed == nil && r.Batch == nil && r.Signals == nil }

// Followed reports where a reader is: before the first batch, and again when Redis lost or
// trimmed entries that the reader needed.
type Followed struct {
	State State
	At    Cursor // the next batch begins here
	First Cursor // Truncated only: just before the first entry still kept
	Last  Cursor // the room's current end: a reader that reaches it has caught up
	LastN int64  // number of the entry there
}
