package chaos

import (
	"slices"
	"time"
)

// truth is what Redis really held: of each room its histories, one for each epoch.
type truth map[string]map[string]*history

// history is a room within one epoch. What the harness trimmed or destroyed it
// had copied in the same transaction, so the history is whole.
type history struct {
	entries []*entry  // ascending
	trimmed id        // through here entries are no longer kept
	ended   time.Time // when the harness destroyed it; zero: it still is
	// parted are entries that a primary had and its successor has not, where the
	// harness could see them before it let the old primary go.
	parted map[id]*entry

	byID   map[id]*entry
	erased map[id]bool // messages that a delete removed
}

// add merges entries that were read of the history at some time.
func (h *history) add(entries []*entry) {
	if h.byID == nil {
		h.byID, h.erased = make(map[id]*entry), make(map[id]bool)
	}
	for _, e := range entries {
		if h.byID[e.id] == nil {
			h.byID[e.id] = e
			h.entries = append(h.entries, e)
		}
		if e.kind == "delete" {
			h.erased[e.of] = true
		}
	}
	slices.SortFunc(h.entries, func(a, b *entry) int { return a.id.compare(b.id) })
}

// between are the entries in (after, upto].
func (h *history) between(after, upto id) []*entry {
	from := func(place id) int {
		i, found := slices.BinarySearchFunc(h.entries, place, func(e *entry, place id) int { return e.id.compare(place) })
		if found {
			i++
		}
		return i
	}
	first := from(after)
	return h.entries[first:max(first, from(upto))]
}

// end is the last entry's ID.
func (h *history) end() id {
	if len(h.entries) == 0 {
		return h.trimmed
	}
	return h.entries[len(h.entries)-1].id
}

// has says whether the place is one of this history: an entry, or where one was. What
// Redis trimmed without a record has no exact end: any place before the next entry is one.
func (h *history) has(place id) bool {
	return h.byID[place] != nil || h.erased[place] || !h.trimmed.before(place) ||
		h.trimmed != id{} && len(h.between(h.trimmed, place)) == 0
}

// of is the room's history of that epoch, nil if there never was one.
func (t truth) of(room, epoch string) *history { return t[room][epoch] }

// history makes the room's history of that epoch if it is not there yet.
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

// living is the room's history that was not destroyed, nil if there is none.
func (t truth) living(room string) (epoch string, h *history) {
	for epoch, h := range t[room] {
		if h.ended.IsZero() {
			return epoch, h
		}
	}
	return "", nil
}
