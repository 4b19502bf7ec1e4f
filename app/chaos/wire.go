package chaos

import "fmt"

// frame is what a server says, as app/PROTOCOL.md has it: on a socket a frame, in a
// live read over HTTP an event or a line.
type frame struct {
	Type, Room           string
	State, At, Last      string // followed
	After, Upto          string // entries
	Entries              []said
	Key, ID, Code, Field string // stored, error
	Protocol, Durability string // hello
}

// said is an entry as a server says it.
type said struct {
	ID, Kind, Key, Text, Of, Emoji string
	Cursor                         string // in NDJSON
	N                              int64
	User                           struct{ ID string }
}

func (s *said) entry() (e entry, err error) {
	if e.id, err = parseID(s.ID); err == nil && s.Of != "" {
		e.of, err = parseID(s.Of)
	}
	e.n, e.kind, e.key, e.user, e.text = s.N, s.Kind, s.Key, s.User.ID, s.Text+s.Emoji
	return e, err
}

// event makes of a frame about a room what its transcript keeps.
func (f *frame) event(pool *pool) (e event, err error) {
	if f.Type == "followed" {
		e = event{what: told, state: f.State}
		e.place, err = parseCursor(f.At)
		return e, err
	}
	e = event{what: read}
	if e.after, err = parseCursor(f.After); err != nil {
		return e, err
	}
	if e.upto, err = parseCursor(f.Upto); err != nil {
		return e, err
	}
	for i := range f.Entries {
		one, err := f.Entries[i].entry()
		if err != nil {
			return e, fmt.Errorf("entry %d: %w", i, err)
		}
		e.entries = append(e.entries, pool.one(one))
	}
	return e, nil
}
