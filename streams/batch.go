package streams

import "sync"

// The limits of a batch keep frames small.
const (
	maxBatchEntries = 500
	maxBatchBytes   = 256 << 10
)

// Batch holds all entries of a room in (After, Upto]. It is immutable, and all readers at the
// same cursor share it.
type Batch struct {
	Room        string
	After, Upto Cursor
	Entries     []Entry

	removals []removal // nearly always empty

	forms [NumForms]struct {
		once    sync.Once
		encoded []byte
	}
}

// NumForms is the number of encodings that a Batch caches.
const NumForms = 9

// Encoded returns the batch in the given encoding. form must be in [0, NumForms). The first call for a
// form calls encode, and later calls return the same bytes. Callers must not modify them.
func (b *Batch) Encoded(form int, encode func(*Batch) []byte) []byte {
	slot := &b.forms[form]
	slot.once.Do(func() { slot.encoded = encode(b) })
	if slot.encoded == nil {
		return encode(b) // encode panicked in another reader's call; returning nothing would leave a gap
	}
	return slot.encoded
}

// rest returns the part of the batch after the cursor, which must lie in the batch.
func (b *Batch) rest(after Cursor) *Batch {
	if after == b.After {
		return b
	}
	skip := 0
	for skip < len(b.Entries) && !after.ID.Before(b.Entries[skip].ID) {
		skip++
	}
	return &Batch{Room: b.Room, After: after, Upto: b.Upto, Entries: b.Entries[skip:], removals: b.removals}
}

// through returns the part of the batch up to and including the entry with the ID.
func (b *Batch) through(id ID) *Batch {
	count := 0
	for count < len(b.Entries) && !id.Before(b.Entries[count].ID) {
		count++
	}
	return &Batch{Room: b.Room, After: b.After, Upto: Cursor{id, b.Upto.Epoch}, Entries: b.Entries[:count]}
}

// A removal is an entry that ends a user's membership.
type removal struct {
	id     ID
	userID string
}

func removals(entries []Entry) (found []removal) {
	for i := range entries {
		if entry := &entries[i]; entry.Kind == MemberChanged && entry.Role == NoRole {
			found = append(found, removal{entry.ID, entry.Member.ID})
		}
	}
	return found
}

func (b *Batch) size() int {
	size := 100
	for i := range b.Entries {
		size += b.Entries[i].size()
	}
	return size
}

// splitBatches splits consecutive entries into batches within the limits. The last batch ends
// at upto, which may be past the last entry.
func splitBatches(room string, after, upto Cursor, entries []Entry) []*Batch {
	var batches []*Batch
	start, size := 0, 0
	add := func(upto Cursor, entries []Entry) {
		batches = append(batches, &Batch{Room: room, After: after, Upto: upto, Entries: entries, removals: removals(entries)})
	}
	for i := range entries {
		if i > start && (i-start == maxBatchEntries || size+entries[i].size() > maxBatchBytes) {
			next := Cursor{entries[i-1].ID, upto.Epoch}
			add(next, entries[start:i])
			after, start, size = next, i, 0
		}
		size += entries[i].size()
	}
	add(upto, entries[start:])
	return batches
}
