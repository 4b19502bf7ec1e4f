package check

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// ID is an entry ID. This package does not use the server's code to parse it.
type ID struct{ Millis, Seq uint64 }

// ParseID parses an entry ID such as 1732281600000-0.
func ParseID(text string) (ID, error) {
	millis, seq, _ := strings.Cut(text, "-")
	var parsed ID
	var err error
	if parsed.Millis, err = strconv.ParseUint(millis, 10, 64); err == nil {
		parsed.Seq, err = strconv.ParseUint(seq, 10, 64)
	}
	if err != nil || parsed.String() != text {
		return ID{}, fmt.Errorf("%q is not an entry ID", text)
	}
	return parsed, nil
}

// String returns the ID in the form that Redis uses.
func (i ID) String() string { return fmt.Sprintf("%d-%d", i.Millis, i.Seq) }

func (i ID) compare(other ID) int {
	return cmp.Or(cmp.Compare(i.Millis, other.Millis), cmp.Compare(i.Seq, other.Seq))
}

// Before reports whether i comes before other in a stream.
func (i ID) Before(other ID) bool { return i.compare(other) < 0 }

func latest(a, b ID) ID {
	if a.Before(b) {
		return b
	}
	return a
}

// Cursor is a position in a room's history. An empty epoch matches any history.
type Cursor struct {
	ID    ID
	Epoch string
}

// Beginning is the cursor of a client that has read nothing.
var Beginning = Cursor{}

// ParseCursor parses a cursor, with or without an epoch.
func ParseCursor(text string) (Cursor, error) {
	id, epoch, found := strings.Cut(text, "@")
	at, err := ParseID(id)
	if err == nil && found && epoch == "" {
		err = fmt.Errorf("%q has an empty epoch", text)
	}
	return Cursor{at, epoch}, err
}

// String returns the cursor in the form that the protocol uses.
func (c Cursor) String() string {
	if c.Epoch == "" {
		return c.ID.String()
	}
	return c.ID.String() + "@" + c.Epoch
}

// IsNewRoom reports whether the cursor is 0-0 with no epoch or epoch 0, which is the cursor of a room
// that does not exist yet. It matches any history.
func (c Cursor) IsNewRoom() bool { return c.ID == ID{} && (c.Epoch == "" || c.Epoch == "0") }
