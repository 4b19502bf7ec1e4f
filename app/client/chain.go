package client

import "strings"

// Chain keeps the cursors of the rooms of one connection, and checks that each batch
// begins where the one before it ended. The zero Chain is ready for use by one goroutine.
type Chain struct{ rooms map[string]*link }

// link is one room's place in its chain.
type link struct {
	at      string   // the cursor reached
	placed  bool     // a followed was received
	pending []string // cursors of follows that are not answered yet, "" for the newest
}

// Sent records a follow that was sent or is about to be.
func (c *Chain) Sent(follow Follow) {
	if c.rooms == nil {
		c.rooms = make(map[string]*link)
	}
	l := c.rooms[follow.Room]
	if l == nil {
		l = &link{at: follow.After}
		c.rooms[follow.Room] = l
	}
	l.pending = append(l.pending, follow.After)
}

// Cursor returns the room's cursor to resume from, "" if there is none yet.
func (c *Chain) Cursor(room string) string {
	if l := c.rooms[room]; l != nil {
		return l.at
	}
	return ""
}

// Check checks a frame and moves the cursor of its room. It returns *ChainError for a
// frame that does not continue the chain, and then the cursor stays where it was.
func (c *Chain) Check(frame Frame) error {
	switch f := frame.(type) {
	case *Followed:
		l := c.rooms[f.Room]
		if l == nil {
			return &ChainError{Room: f.Room, Frame: f, Reason: "the room is not followed"}
		}
		if !l.expects(f) {
			return &ChainError{Room: f.Room, At: l.at, Frame: f, Reason: "no follow asked for this"}
		}
		l.at, l.placed = f.At, true
	case *Entries:
		l := c.rooms[f.Room]
		switch {
		case l == nil || !l.placed:
			return &ChainError{Room: f.Room, Frame: f, Reason: "entries came before followed"}
		case f.After != l.at:
			return &ChainError{Room: f.Room, At: l.at, Frame: f, Reason: "entries are missing or came twice"}
		}
		l.at = f.Upto
	}
	return nil
}

// expects reports whether f answers a pending follow, or is truncated or reset, which need
// no follow. It drops the follows that f answers.
func (l *link) expects(f *Followed) bool {
	if f.State == Truncated || f.State == Reset {
		if !l.placed {
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

// ID returns the entry ID of a cursor. Cursors of the same place may differ in their
// epoch, which is not known before the room has an entry.
func ID(cursor string) string {
	id, _, _ := strings.Cut(cursor, "@")
	return id
}
