package client

import "strings"

// Chain tracks the cursors of a connection's rooms, and checks that each batch begins where the one
// before it ended. The zero Chain is ready to use. It is not safe for concurrent use.
type Chain struct{ rooms map[string]*link }

// link is the state of one room.
type link struct {
	cursor   string   // up to which the room was read
	followed bool     // a Followed was received
	pending  []string // cursors of unanswered follows; "" for a follow of the newest entries
}

// AddFollow records a follow that the caller has sent or is about to send.
func (c *Chain) AddFollow(follow Follow) {
	if c.rooms == nil {
		c.rooms = make(map[string]*link)
	}
	l := c.rooms[follow.Room]
	if l == nil {
		l = &link{cursor: follow.After}
		c.rooms[follow.Room] = l
	}
	l.pending = append(l.pending, follow.After)
}

// Cursor returns the cursor from which to resume the room, or "" if there is none yet.
func (c *Chain) Cursor(room string) string {
	if l := c.rooms[room]; l != nil {
		return l.cursor
	}
	return ""
}

// Check checks a frame and advances the cursor of its room. If the frame does not continue the chain,
// Check returns a *ContinuityError and leaves the cursor where it was.
func (c *Chain) Check(frame Frame) error {
	switch f := frame.(type) {
	case *Followed:
		l := c.rooms[f.Room]
		if l == nil {
			return &ContinuityError{Room: f.Room, Frame: f, Reason: "the room is not followed"}
		}
		if !l.expects(f) {
			return &ContinuityError{Room: f.Room, At: l.cursor, Frame: f, Reason: "no follow is waiting for this answer"}
		}
		l.cursor, l.followed = f.At, true
	case *Entries:
		l := c.rooms[f.Room]
		switch {
		case l == nil || !l.followed:
			return &ContinuityError{Room: f.Room, Frame: f, Reason: "entries came before followed"}
		case f.After != l.cursor:
			return &ContinuityError{Room: f.Room, At: l.cursor, Frame: f, Reason: "entries are missing or repeated"}
		}
		l.cursor = f.Upto
	}
	return nil
}

// expects reports whether f answers a pending follow, and removes that follow. Truncated and Reset
// are always expected, because the server also sends them unrequested.
func (l *link) expects(f *Followed) bool {
	if f.State == Truncated || f.State == Reset {
		if !l.followed {
			l.pending = l.pending[1:]
		}
		return true
	}
	for i, after := range l.pending {
		if after == "" && f.State == Fresh || after != "" && f.State == Resumed && ID(f.At) == ID(after) {
			l.pending = l.pending[i+1:]
			return true
		}
	}
	return false
}

// ID returns the entry ID in a cursor. Two cursors of the same position may differ in their epoch,
// which is unknown until the room has an entry.
func ID(cursor string) string {
	id, _, _ := strings.Cut(cursor, "@")
	return id
}
