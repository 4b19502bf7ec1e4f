package check

import "time"

// SessionEnd is the end of an account's session, from the request that ended it to the reply. After the reply,
// the servers have a limited time to end the session's connections.
type SessionEnd struct {
	Begun, Replied time.Time
	Limit          time.Duration
}

// change is an entry that changed whether a client is a member of a room.
type change struct {
	id               ID
	isMember         bool
	begun, confirmed time.Time // of the append; zero for the first members, who were added with the room
}

func (c *change) isConfirmedBefore(at time.Time) bool {
	return !c.confirmed.IsZero() && c.confirmed.Before(at)
}

// rights is the state of a chain whose client may read its room only while it is a member.
type rights struct {
	changes   []change
	requested *Event
	isReading bool   // followed on this connection, and not closed
	hasGap    bool   // a gap was declared on this connection
	isClosed  bool   // the room was closed on this connection
	last      *Entry // the last entry received
}

// changesOf returns the changes of a client's membership, in the order of the stream.
func (c *Checker) changesOf(room, account string) (changes []change) {
	_, h := c.Truth.Current(room)
	if account == "" || h == nil {
		return nil
	}
	for _, e := range h.entries {
		if e.Kind == "member" && e.Member == account {
			one := change{id: e.ID, isMember: e.Role != "none"}
			if s := c.byKey[e.Key]; s != nil {
				one.begun, one.confirmed = s.First, s.Acked
			}
			changes = append(changes, one)
		}
	}
	return changes
}

// isMember reports whether the client is a member at the end of the run.
func (c *chain) isMember() bool {
	all := c.rights.changes
	return len(all) > 0 && all[len(all)-1].isMember
}

// checkRights checks that the client was allowed to receive an event.
func (c *chain) checkRights(e *Event) {
	r := &c.rights
	switch e.Kind {
	case Requested:
		r.requested, r.isReading, r.hasGap, r.isClosed = e, false, false, false
		return
	case Followed, Batch:
		c.checkAdmitted(e)
	case Closed:
		c.checkClosed(e)
		r.isReading, r.isClosed = false, true
	case Refused:
		c.checkRefused(e)
	}
	if e.Kind == Followed {
		r.isReading, r.hasGap = true, r.hasGap || e.State == "truncated" || e.State == "reset"
	}
	for _, entry := range e.Entries {
		c.checkMayRead(entry, e.At)
		r.last = entry
	}
}

// checkAdmitted checks that the client was not admitted after its removal. While there may be two
// primaries, a server that reads from the old one may still admit it.
func (c *chain) checkAdmitted(e *Event) {
	r := &c.rights
	if r.isClosed {
		c.addFinding(Trespass, "kept reading after the room was closed")
	}
	mayRead := false // at the time of the request, or later
	for _, one := range r.changes {
		switch {
		case one.isMember && one.begun.Before(e.At):
			mayRead = true
		case !one.isMember && one.isConfirmedBefore(r.requested.At):
			mayRead = false
		}
	}
	if !mayRead && !c.MayBeOrphan(idAt(e.At)) {
		c.addFinding(Trespass, "was admitted, but was not a member when it requested %v", r.requested.Cursor)
	}
}

// checkMayRead checks that an entry does not come after the client's removal, unless the client was a
// member again when it received the entry. It allows entries that were lost with an old primary, which may
// store and send entries while the new one already has the removal.
func (c *chain) checkMayRead(entry *Entry, at time.Time) {
	removal, isMember := ID{}, false
	for _, one := range c.rights.changes {
		switch {
		case one.id.Before(entry.ID):
			isMember = one.isMember
			removal = one.id
		case one.isMember && one.begun.Before(at):
			isMember = true
		}
	}
	if !isMember && !c.wasLost(entry) {
		c.addFinding(Trespass, "read %v after its removal %v", entry.ID, removal)
	}
	end, hasEnded := c.Ends[c.rights.requested.Session]
	if hasEnded && time.UnixMilli(int64(entry.ID.Millis)).After(end.Replied.Add(end.Limit)) {
		c.addFinding(LateEnd, "read %v, stored more than %v after the session had ended", entry.ID, end.Limit)
	}
}

// wasLost reports whether the entry was lost with an old primary.
func (c *chain) wasLost(entry *Entry) bool {
	_, h := c.Truth.Current(c.Room)
	return h != nil && !h.contains(entry.ID) && c.isOrphan(h, entry.ID)
}

// checkClosed checks that a read ends exactly with the client's removal, or because its session has ended.
func (c *chain) checkClosed(e *Event) {
	r := &c.rights
	switch e.Code {
	case "removed":
		endsWithRemoval := r.last != nil && r.last.Kind == "member" && r.last.Member == c.Account && r.last.Role == "none"
		if r.isReading && !r.hasGap && len(c.orphans) == 0 && !endsWithRemoval {
			c.addFinding(WrongEnd, "closed before the removal was received")
		}
	case "signed_out":
		if end, ok := c.Ends[r.requested.Session]; !ok || e.At.Before(end.Begun) {
			c.addFinding(WrongReply, "closed, but the session has not ended")
		}
	default:
		c.addFinding(WrongReply, "closed with the code %q", e.Code)
	}
}

// checkRefused checks that a member whose session is valid is not refused.
func (c *chain) checkRefused(e *Event) {
	switch e.Code {
	case "not_found":
		isMember := false // from the request to the refusal
		for _, one := range c.rights.changes {
			switch {
			case one.isMember && (one.begun.IsZero() || one.isConfirmedBefore(c.rights.requested.At)):
				isMember = true
			case !one.isMember && one.begun.Before(e.At):
				isMember = false
			}
		}
		if isMember && !c.MayBeOrphan(idAt(e.At)) {
			c.addFinding(WrongReply, "a member was refused")
		}
	case "not_allowed":
		if end, ok := c.Ends[c.rights.requested.Session]; !ok || e.At.Before(end.Begun) {
			c.addFinding(WrongReply, "refused, but the session has not ended")
		}
	}
}

// idAt returns the lowest ID that an entry stored at this time can have.
func idAt(at time.Time) ID { return ID{Millis: uint64(at.UnixMilli())} }
