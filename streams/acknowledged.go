package streams

import (
	"hash/maphash"
	"sync"
	"time"
)

// acknowledgedTime is how long an acknowledged entry is remembered. By then the tail has read it.
const acknowledgedTime = 5 * time.Second

// acknowledged remembers the last entry that this process has stored in a room. A reader that then follows
// the room for new entries must not get it, although the tail may not have read it yet. It remembers
// one of the rooms that share a slot.
type acknowledged struct {
	seed maphash.Seed

	mu    sync.Mutex
	slots [512]struct {
		room string
		at   Cursor
		when time.Time
	}
}

// add records an entry that was stored. Calls may be out of order.
func (a *acknowledged) add(room string, at Cursor) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	slot := &a.slots[a.index(room)]
	if slot.room != room || slot.at.Epoch != at.Epoch || slot.at.ID.Before(at.ID) {
		slot.room, slot.at, slot.when = room, at, now
	}
}

// last returns the last entry that was stored in the room, or the zero Cursor if it is not known.
func (a *acknowledged) last(room string) Cursor {
	a.mu.Lock()
	defer a.mu.Unlock()
	slot := &a.slots[a.index(room)]
	if slot.room != room || time.Since(slot.when) > acknowledgedTime {
		return Cursor{}
	}
	return slot.at
}

func (a *acknowledged) index(room string) uint64 {
	return maphash.String(a.seed, room) % uint64(len(a.slots))
}
