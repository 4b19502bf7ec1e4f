package streams

// From is where a reader starts.
type From struct {
	cursor Cursor
	newest int
	fresh  bool // start with the newest entries instead of after the cursor
}

// After returns a From that starts after the cursor.
func After(cursor Cursor) From { return From{cursor: cursor} }

// Newest returns a From that starts with the newest count entries. count is 0 to 500.
func Newest(count int) From { return From{newest: count, fresh: true} }

// Read is the result of one call of Next. At most one of Followed, Batch and Signals is set. If AtEnd is
// true, there is nothing more to read until the Reader calls onReadable. Otherwise there may be more.
type Read struct {
	Followed *Followed
	Batch    *Batch
	Signals  []*Signal
	AtEnd    bool
	Closed   Closed // if set, the Reader must stop after the Batch, if there is one
}

// IsEmpty reports whether there was nothing to read.
func (r *Read) IsEmpty() bool {
	return r.Followed == nil && r.Batch == nil && r.Signals == nil && r.Closed == ""
}

// Closed is the reason why a Reader must stop.
type Closed string

// The reasons.
const (
	Removed Closed = "removed" // the user is not a member of the room
	Deleted Closed = "deleted" // the room was deleted
)

// Followed reports where a reader starts. Next returns a Followed before the first batch, and again when
// entries that the reader has not read yet have been trimmed or lost.
type Followed struct {
	State      State
	At         Cursor // the next batch starts here
	First      Cursor // Truncated only: just before the first entry that is still kept
	Last       Cursor // the room's end; a reader that reaches it has caught up
	LastNumber int64  // number of the entry at Last
}
