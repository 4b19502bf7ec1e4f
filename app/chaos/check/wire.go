package check

import (
	"fmt"

	"burble/app/client"
)

// newEntry converts a received entry.
func newEntry(from *client.Entry) (e Entry, err error) {
	if e.ID, err = ParseID(from.ID); err == nil && from.Target != "" {
		e.Target, err = ParseID(from.Target)
	}
	e.Number, e.Kind, e.Key, e.User, e.Text = from.Number, from.Kind, from.Key, from.User.ID, from.Text+from.Emoji
	e.Member, e.Role = from.Member.ID, from.Role
	return e, err
}

// newFollowed converts a followed frame to an event.
func newFollowed(frame *client.Followed) (e Event, err error) {
	e = Event{Kind: Followed, State: frame.State}
	e.Cursor, err = ParseCursor(frame.At)
	return e, err
}

// newBatch converts a batch to an event.
func newBatch(frame *client.Entries, pool *Pool) (e Event, err error) {
	e = Event{Kind: Batch}
	if e.After, err = ParseCursor(frame.After); err != nil {
		return e, err
	}
	if e.Upto, err = ParseCursor(frame.Upto); err != nil {
		return e, err
	}
	for i := range frame.Entries {
		entry, err := newEntry(&frame.Entries[i])
		if err != nil {
			return e, fmt.Errorf("entry %d: %w", i, err)
		}
		e.Entries = append(e.Entries, pool.Intern(entry))
	}
	return e, nil
}

// NewEvent converts a followed or closed frame or a batch to an event, and returns its room. For other
// frames, the room is "".
func NewEvent(frame client.Frame, pool *Pool) (room string, e Event, err error) {
	switch f := frame.(type) {
	case *client.Followed:
		room = f.Room
		e, err = newFollowed(f)
	case *client.Entries:
		room = f.Room
		e, err = newBatch(f, pool)
	case *client.Closed:
		room, e = f.Room, Event{Kind: Closed, Code: f.Code}
	}
	return room, e, err
}
