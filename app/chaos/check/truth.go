package check

import (
	"slices"
	"time"
)

// Truth is what Redis held: the histories of each room by epoch.
type Truth map[string]map[string]*History

// History is a room within one epoch. It is complete: what the harness trims or destroys
// it first copies, in the same transaction.
type History struct {
	entries []*Entry  // ascending
	Trimmed ID        // entries up to here are no longer kept
	Ended   time.Time // when the harness destroyed it; zero: it exists
	// orphans are entries that only the old primary had after a failover, as far as the
	// harness could copy them.
	Orphans map[ID]*Entry

	ByID    map[ID]*Entry
	Deleted map[ID]bool // messages that a delete removed
}

// Add merges entries that were read from Redis.
func (h *History) Add(entries []*Entry) {
	if h.ByID == nil {
		h.ByID, h.Deleted = make(map[ID]*Entry), make(map[ID]bool)
	}
	for _, e := range entries {
		if h.ByID[e.ID] == nil {
			h.ByID[e.ID] = e
			h.entries = append(h.entries, e)
		}
		if e.Kind == "delete" {
			h.Deleted[e.Of] = true
		}
	}
	slices.SortFunc(h.entries, func(a, b *Entry) int { return a.ID.compare(b.ID) })
}

// between returns the entries in (after, upto].
func (h *History) between(after, upto ID) []*Entry {
	indexAfter := func(place ID) int {
		i, found := slices.BinarySearchFunc(h.entries, place, func(e *Entry, place ID) int { return e.ID.compare(place) })
		if found {
			i++
		}
		return i
	}
	first := indexAfter(after)
	return h.entries[first:max(first, indexAfter(upto))]
}

// end returns the ID of the last entry.
func (h *History) end() ID {
	if len(h.entries) == 0 {
		return h.Trimmed
	}
	return h.entries[len(h.entries)-1].ID
}

// has reports whether the place is an entry of the history, or was one before it was
// deleted or trimmed. Redis keeps no record of a trim by hand, so any place before the
// next entry is a valid end of what was trimmed.
func (h *History) has(place ID) bool {
	return h.ByID[place] != nil || h.Deleted[place] || !h.Trimmed.Before(place) ||
		h.Trimmed != ID{} && len(h.between(h.Trimmed, place)) == 0
}

// Of returns the room's history of that epoch, nil if there never was one.
func (t Truth) Of(room, epoch string) *History { return t[room][epoch] }

// History returns the room's history of that epoch, and adds it if it is new.
func (t Truth) History(room, epoch string) *History {
	if t[room] == nil {
		t[room] = make(map[string]*History)
	}
	if t[room][epoch] == nil {
		t[room][epoch] = &History{}
		t[room][epoch].Add(nil)
	}
	return t[room][epoch]
}

// Current returns the room's history that was not destroyed, nil if there is none.
func (t Truth) Current(room string) (epoch string, h *History) {
	for epoch, h := range t[room] {
		if h.Ended.IsZero() {
			return epoch, h
		}
	}
	return "", nil
}
