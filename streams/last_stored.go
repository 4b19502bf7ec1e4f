package streams

import (
	"hash/maphash"
	"sync"
	"time"
)

// lastStoredTTL is how long an acknowledged entry is remembered. The tail reads the entry well within
// this time.
const lastStoredTTL = 5 * time.Second

// lastStored remembers the last entry that this process stored in each room. A reader that later
// follows the room's new entries must not receive that entry, even if the tail has not read it yet. If
// several rooms share a slot, only one of them is remembered.
type lastStored struct {
	seed maphash.Seed

	mu    sync.Mutex
	slots [512]struct {
		room     string
		cursor   Cursor
		storedAt time.Time
	}
}

// add records a stored entry. Entries may be added in any order.
func (a *lastStored) add(room string, at Cursor) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	slot := &a.slots[a.index(room)]
	if slot.room != room || slot.cursor.Epoch != at.Epoch || slot.cursor.ID.Before(at.ID) {
		slot.room, slot.cursor, slot.storedAt = room, at, now
	}
}

// last returns the last entry that this process stored in the room, or the zero Cursor if unknown.
func (a *lastStored) last(room string) Cursor {
	a.mu.Lock()
	defer a.mu.Unlock()
	slot := &a.slots[a.index(room)]
	if slot.room != room || time.Since(slot.storedAt) > lastStoredTTL {
		return Cursor{}
	}
	return slot.cursor
}

func (a *lastStored) index(room string) uint64 {
	return maphash.String(a.seed, room) % uint64(len(a.slots))
}
