package check

import (
	"slices"
	"time"
)

// Truth holds the histories that Redis stored, by room and epoch.
type Truth map[string]map[string]*History

// History is the complete content of a room in one epoch. Before the harness trims or deletes entries,
// it copies them in the same transaction.
type History struct {
	entries   []*Entry  // ascending
	Trimmed   ID        // entries up to and including this ID were trimmed
	DeletedAt time.Time // when the harness deleted it; zero if it exists
	// Orphans are the entries that only the old primary had after a failover, if the harness
	// could copy them.
	Orphans map[ID]*Entry

	ByID    map[ID]*Entry
	Deleted map[ID]bool // the IDs of deleted messages
}

// Add merges entries that the harness has read from Redis.
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
			h.Deleted[e.Target] = true
		}
	}
	slices.SortFunc(h.entries, func(a, b *Entry) int { return a.ID.compare(b.ID) })
}

// between returns the entries in (after, upto].
func (h *History) between(after, upto ID) []*Entry {
	indexAfter := func(id ID) int {
		i, found := slices.BinarySearchFunc(h.entries, id, func(e *Entry, id ID) int { return e.ID.compare(id) })
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

// contains reports whether the history has the entry, or had it before it was deleted or trimmed.
// Redis keeps no record of a trim by hand, so any ID before the next entry may be the last trimmed ID.
func (h *History) contains(id ID) bool {
	return h.ByID[id] != nil || h.Deleted[id] || !h.Trimmed.Before(id) ||
		h.Trimmed != ID{} && len(h.between(h.Trimmed, id)) == 0
}

// Lookup returns the room's history in the epoch, or nil if there was none.
func (t Truth) Lookup(room, epoch string) *History { return t[room][epoch] }

// History returns the room's history in that epoch, and creates it if necessary.
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

// Current returns the room's history that still exists, or nil if there is none.
func (t Truth) Current(room string) (epoch string, h *History) {
	for epoch, h := range t[room] {
		if h.DeletedAt.IsZero() {
			return epoch, h
		}
	}
	return "", nil
}
