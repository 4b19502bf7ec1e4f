package check

import (
	"fmt"
	"strings"

	"burble/app/client"
)

// newEntry converts a received entry.
func newEntry(from *client.Entry) (e Entry, err error) {
	if e.ID, err = ParseID(from.ID); err == nil && from.Target != "" {
		e.Target, err = ParseID(from.Target)
	}
	e.Number, e.Kind, e.Key, e.User, e.Text = from.Number, from.Kind, from.Key, from.User.ID, from.Text+from.Emoji
	e.Member, e.Role = from.Member.ID, from.Role
	for _, file := range from.Files {
		e.AddFile(file.ID, file.Alt)
	}
	return e, err
}

// AddFile adds a file to the entry.
func (e *Entry) AddFile(id, alt string) {
	if e.Files != "" {
		e.Files += ","
	}
	e.Files += id + " " + alt
}

// Attachments returns the entry's files as a client sends them.
func (e *Entry) Attachments() (files []client.Attachment) {
	for file := range strings.SplitSeq(e.Files, ",") {
		if id, alt, ok := strings.Cut(file, " "); ok {
			files = append(files, client.Attachment{ID: id, Alt: alt})
		}
	}
	return files
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
