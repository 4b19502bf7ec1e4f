package streams

import "sync"

// A batch is cut at these bounds, so that one frame is never huge.
const (
	batchEntries = 500
	batchBytes   = 256 << 10
)

// Batch is everything in (After, Upto] of a room, nothing left out. It is
// immutable and shared by every reader at the same place.
type Batch struct {
	Room        string
	After, Upto Cursor
	Entries     []Entry

	forms [Forms]struct {
		once    sync.Once
		encoded []byte
	}
}

// Forms is how many encodings a Batch keeps.
const Forms = 8

// Encoded returns what encode makes of the batch, and calls it once for each
// form from 0 to Forms-1 whoever asks. The bytes are shared: nobody may change them.
func (b *Batch) Encoded(form int, encode func(*Batch) []byte) []byte {
	slot := &b.forms[form]
	slot.once.Do(func() { slot.encoded = encode(b) })
	if slot.encoded == nil {
		return encode(b) // it panicked for another reader: to write nothing would be a gap
	}
	return slot.encoded
}

// from is the part of the batch after the cursor, which lies within it.
func (b *Batch) from(after Cursor) *Batch {
	if after == b.After {
		return b
	}
	skip := 0
	for skip < len(b.Entries) && !after.ID.Before(b.Entries[skip].ID) {
		skip++
	}
	return &Batch{Room: b.Room, After: after, Upto: b.Upto, Entries: b.Entries[skip:]}
}

func (b *Batch) size() int {
	size := 100
	for i := range b.Entries {
		size += b.Entries[i].size()
	}
	return size
}

// cut makes of consecutive entries as many batches as the bounds ask. The last
// one reaches to upto, which may lie beyond the last entry.
func cut(room string, after, upto Cursor, entries []Entry) []*Batch {
	var batches []*Batch
	start, size := 0, 0
	for i := range entries {
		if i > start && (i-start == batchEntries || size+entries[i].size() > batchBytes) {
			next := Cursor{entries[i-1].ID, upto.Epoch}
			batches = append(batches, &Batch{Room: room, After: after, Upto: next, Entries: entries[start:i]})
			after, start, size = next, i, 0
		}
		size += entries[i].size()
	}
	return append(batches, &Batch{Room: room, After: after, Upto: upto, Entries: entries[start:]})
}
