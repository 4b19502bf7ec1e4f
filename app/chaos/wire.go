package chaos

import (
	"fmt"

	"burble/app/client"
)

// newEntry converts an entry of the protocol.
func newEntry(from *client.Entry) (e entry, err error) {
	if e.id, err = parseID(from.ID); err == nil && from.Of != "" {
		e.of, err = parseID(from.Of)
	}
	e.n, e.kind, e.key, e.user, e.text = from.N, from.Kind, from.Key, from.User.ID, from.Text+from.Emoji
	return e, err
}

// newFollowed converts a followed frame to an event.
func newFollowed(frame *client.Followed) (e event, err error) {
	e = event{kind: followed, state: frame.State}
	e.place, err = parseCursor(frame.At)
	return e, err
}

// newBatch converts a batch to an event.
func newBatch(frame *client.Entries, pool *pool) (e event, err error) {
	e = event{kind: batch}
	if e.after, err = parseCursor(frame.After); err != nil {
		return e, err
	}
	if e.upto, err = parseCursor(frame.Upto); err != nil {
		return e, err
	}
	for i := range frame.Entries {
		one, err := newEntry(&frame.Entries[i])
		if err != nil {
			return e, fmt.Errorf("entry %d: %w", i, err)
		}
		e.entries = append(e.entries, pool.intern(one))
	}
	return e, nil
}

// newEvent converts a frame about a room to an event and returns its room, "" for other
// frames.
func newEvent(frame client.Frame, pool *pool) (room string, e event, err error) {
	switch f := frame.(type) {
	case *client.Followed:
		room = f.Room
		e, err = newFollowed(f)
	case *client.Entries:
		room = f.Room
		e, err = newBatch(f, pool)
	}
	return room, e, err
}
