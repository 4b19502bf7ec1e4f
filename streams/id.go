package streams

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ID is the ID that Redis Streams assigned to an entry. It is the entry's identity, time, and position
// in its room. The zero ID, 0-0, is before every entry.
type ID struct{ Millis, Seq uint64 }

// ErrBadCursor is returned for text that is neither an entry ID nor a cursor.
var ErrBadCursor = errors.New("not a cursor: want <milliseconds>-<sequence>, optionally followed by @<epoch>")

// ParseID parses an ID as Redis writes it.
func ParseID(text string) (ID, error) {
	millis, seq, found := strings.Cut(text, "-")
	if !found {
		return ID{}, ErrBadCursor
	}
	var id ID
	var err error
	if id.Millis, err = parsePart(millis); err != nil {
		return ID{}, err
	}
	if id.Seq, err = parsePart(seq); err != nil {
		return ID{}, err
	}
	return id, nil
}

// parsePart parses one part of an ID. Unlike Redis, it rejects signs and leading zeros, so that
// each ID has only one spelling.
func parsePart(text string) (uint64, error) {
	if text == "" || len(text) > 1 && text[0] == '0' || text[0] < '0' || text[0] > '9' {
		return 0, ErrBadCursor
	}
	part, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, ErrBadCursor
	}
	return part, nil
}

// String formats the ID as Redis writes it.
func (id ID) String() string { return string(id.Append(nil)) }

// Append appends the ID to dst, formatted like String.
func (id ID) Append(dst []byte) []byte {
	dst = strconv.AppendUint(dst, id.Millis, 10)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, id.Seq, 10)
}

// Time returns the time at which Redis stored the entry, by Redis's clock.
func (id ID) Time() time.Time {
	return time.UnixMilli(int64(min(id.Millis, math.MaxInt64)))
}

// Compare returns -1 if id comes before other in a stream, 0 if they are equal, and +1 if id comes
// after other.
func (id ID) Compare(other ID) int {
	return cmp.Or(cmp.Compare(id.Millis, other.Millis), cmp.Compare(id.Seq, other.Seq))
}

// Before reports whether id comes before other in a stream.
func (id ID) Before(other ID) bool { return id.Compare(other) < 0 }

// IsZero reports whether id is the zero ID.
func (id ID) IsZero() bool { return id == ID{} }

// previous returns the greatest ID below id, or id itself if it is zero.
func (id ID) previous() ID {
	switch {
	case id.Seq > 0:
		return ID{id.Millis, id.Seq - 1}
	case id.Millis > 0:
		return ID{id.Millis - 1, math.MaxUint64}
	}
	return id
}

// next returns the least ID above id, or id itself if it is the greatest ID.
func (id ID) next() ID {
	switch {
	case id.Seq < math.MaxUint64:
		return ID{id.Millis, id.Seq + 1}
	case id.Millis < math.MaxUint64:
		return ID{Millis: id.Millis + 1}
	}
	return id
}

// noEpoch is the epoch of a room that does not exist yet. A cursor with this epoch is always
// at 0-0.
const noEpoch = "0"

// Cursor is a position in a room's history, just after the entry with the ID. An empty Epoch
// matches any history.
type Cursor struct {
	ID    ID
	Epoch string
}

// ParseCursor parses "<entry ID>@<epoch>" or "<entry ID>".
func ParseCursor(text string) (Cursor, error) {
	entry, epoch, found := strings.Cut(text, "@")
	id, err := ParseID(entry)
	if err != nil {
		return Cursor{}, err
	}
	if !found {
		return Cursor{ID: id}, nil
	}
	if !validEpoch(epoch) {
		return Cursor{}, fmt.Errorf("%w: the epoch must be 1 to 32 letters and digits", ErrBadCursor)
	}
	return Cursor{id, epoch}, nil
}

func validEpoch(epoch string) bool {
	if epoch == "" || len(epoch) > 32 {
		return false
	}
	for _, c := range []byte(epoch) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// String returns the cursor in the form that ParseCursor parses.
func (c Cursor) String() string { return string(c.Append(nil)) }

// Append appends the cursor to dst, in the form that ParseCursor parses.
func (c Cursor) Append(dst []byte) []byte {
	dst = c.ID.Append(dst)
	if c.Epoch == "" {
		return dst
	}
	dst = append(dst, '@')
	return append(dst, c.Epoch...)
}

// later returns the later of two cursors in a room. It ignores b if b is zero or belongs to another
// history. Any history may follow noEpoch.
func later(a, b Cursor) Cursor {
	if b != (Cursor{}) && (a.Epoch == noEpoch || a.Epoch == b.Epoch && a.ID.Before(b.ID)) {
		return b
	}
	return a
}
