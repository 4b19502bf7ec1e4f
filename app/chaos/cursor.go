package chaos

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// id is an entry ID, in the order of Redis. It is parsed here, not by the server's code.
type id struct{ millis, seq uint64 }

func parseID(text string) (id, error) {
	millis, seq, _ := strings.Cut(text, "-")
	var parsed id
	var err error
	if parsed.millis, err = strconv.ParseUint(millis, 10, 64); err == nil {
		parsed.seq, err = strconv.ParseUint(seq, 10, 64)
	}
	if err != nil || parsed.String() != text {
		return id{}, fmt.Errorf("%q is not an entry ID", text)
	}
	return parsed, nil
}

func (i id) String() string { return fmt.Sprintf("%d-%d", i.millis, i.seq) }

func (i id) compare(other id) int {
	return cmp.Or(cmp.Compare(i.millis, other.millis), cmp.Compare(i.seq, other.seq))
}

func (i id) before(other id) bool { return i.compare(other) < 0 }

func latest(a, b id) id {
	if a.before(b) {
		return b
	}
	return a
}

// cursor is a place in a room's history. An empty epoch leaves open which history.
type cursor struct {
	id    id
	epoch string
}

// beginning is the cursor of a client that has read nothing.
var beginning = cursor{}

func parseCursor(text string) (cursor, error) {
	place, epoch, found := strings.Cut(text, "@")
	at, err := parseID(place)
	if err == nil && found && epoch == "" {
		err = fmt.Errorf("%q has an empty epoch", text)
	}
	return cursor{at, epoch}, err
}

func (c cursor) String() string {
	if c.epoch == "" {
		return c.id.String()
	}
	return c.id.String() + "@" + c.epoch
}

// isNewRoom reports whether the cursor is that of a room that did not exist.
func (c cursor) isNewRoom() bool { return c.id == id{} && (c.epoch == "" || c.epoch == "0") }
