package chaos

import (
	"slices"
	"time"
)

// truth is what Redis held: the histories of each room by epoch.
type truth map[string]map[string]*history

// history is a room within one epoch. It is complete: what the harness trims or destroys
// it first copies, in the same transaction.
type history struct {
	entries []*entry  // ascending
	trimmed id        // entries up to here are no longer kept
	ended   time.Time // when the harness destroyed it; zero: it exists
	// orphans are entries that only the old primary had after a failover, as far as the
	// harness could copy them.
	orphans map[id]*entry

	byID    map[id]*entry
	deleted map[id]bool // messages that a delete removed
}

// add merges entries that were read from Redis.
func (h *history) add(entries []*entry) {
	if h.byID == nil {
		h.byID, h.deleted = make(map[id]*entry), make(map[id]bool)
	}
	for _, e := range entries {
		if h.byID[e.id] == nil {
			h.byID[e.id] = e
			h.entries = append(h.entries, e)
		}
		if e.kind == "delete" {
			h.deleted[e.of] = true
		}
	}
	slices.SortFunc(h.entries, func(a, b *entry) int { return a.id.compare(b.id) })
}

// between returns the entries in (after, upto].
func (h *history) between(after, upto id) []*entry {
	indexAfter := func(place id) int {
		i, found := slices.BinarySearchFunc(h.entries, place, func(e *entry, place id) int { return e.id.compare(place) })
		if found {
			i++
		}
		return i
	}
	first := indexAfter(after)
	return h.entries[first:max(first, indexAfter(upto))]
}

// end returns the ID of the last entry.
func (h *history) end() id {
	if len(h.entries) == 0 {
		return h.trimmed
	}
	return h.entries[len(h.entries)-1].id
}

// has reports whether the place is an entry of the history, or was one before it was
// deleted or trimmed. Redis keeps no record of a trim by hand, so any place before the
// next entry is a valid end of what was trimmed.
func (h *history) has(place id) bool {
	return h.byID[place] != nil || h.deleted[place] || !h.trimmed.before(place) ||
		h.trimmed != id{} && len(h.between(h.trimmed, place)) == 0
}

// of returns the room's history of that epoch, nil if there never was one.
func (t truth) of(room, epoch string) *history { return t[room][epoch] }

// history returns the room's history of that epoch, and adds it if it is new.
func (t truth) history(room, epoch string) *history {
	if t[room] == nil {
		t[room] = make(map[string]*history)
	}
	if t[room][epoch] == nil {
		t[room][epoch] = &history{}
		t[room][epoch].add(nil)
	}
	return t[room][epoch]
}

// current returns the room's history that was not destroyed, nil if there is none.
func (t truth) current(room string) (epoch string, h *history) {
	for epoch, h := range t[room] {
		if h.ended.IsZero() {
			return epoch, h
		}
	}
	return "", nil
}
