package check

import (
	"fmt"
	"slices"
)

// chain checks one transcript, event by event.
type chain struct {
	*Checker
	*Transcript
	request  *Event // the request that has no reply yet, or nil
	followed bool   // a followed frame was received on this connection
	cursor   Cursor
	orphans  []*Entry // lost entries that the client has read; a reset must come next
	index    int      // of the current event
	rights   rights
}

func (c *chain) check() {
	c.rights.changes = c.changesOf(c.Room, c.Account)
	for i := range c.Events {
		c.index = i
		if c.Account != "" {
			c.checkRights(&c.Events[i])
		}
		switch e := &c.Events[i]; e.Kind {
		case Requested:
			c.request, c.followed = e, false
			// A client that resumes before a lost entry, or afresh, needs no reset because of it.
			c.orphans = slices.DeleteFunc(c.orphans, func(orphan *Entry) bool { return e.Fresh || e.Cursor.ID.Before(orphan.ID) })
		case Followed:
			c.checkFollowed(e)
		case Batch:
			c.checkBatch(e)
		}
	}
	c.checkEnd()
}

// addFinding adds a finding, with the last four events of the transcript.
func (c *chain) addFinding(flaw Flaw, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for i := max(0, c.index-3); i <= c.index && i < len(c.Events); i++ {
		text += fmt.Sprintf("\n      %v", &c.Events[i])
	}
	c.Checker.addFinding(flaw, "%s in room %s: %s", c.Client, c.Room, text)
}

// checkFollowed checks the cursor in a followed frame against the request that it answers, or else
// against the client's cursor.
func (c *chain) checkFollowed(e *Event) {
	from, fresh := c.cursor, false
	if c.request != nil {
		from, fresh = c.request.Cursor, c.request.Fresh
	}
	switch {
	case e.State == "fresh" && c.request != nil && fresh:
	case e.State == "resumed" && c.request != nil && !fresh:
		c.checkResumed(from, e)
	case e.State == "truncated" && !fresh:
		c.Declared++
		c.checkTruncated(from, e)
	case e.State == "reset" && !fresh:
		c.Declared++
		c.checkReset(from, e)
	default:
		c.addFinding(WrongPosition, "followed %q at %v after a request for %v (fresh: %v)", e.State, e.Cursor, from, fresh)
	}
	if e.State == "fresh" || e.State == "reset" {
		c.orphans = nil
	}
	c.cursor, c.followed, c.request = e.Cursor, true, nil
}

func (c *chain) checkResumed(from Cursor, e *Event) {
	sameEpoch := from.Epoch == "" || from.IsNewRoom() || from.Epoch == e.Cursor.Epoch
	if from.ID != e.Cursor.ID || !sameEpoch {
		c.addFinding(WrongPosition, "requested %v and resumed at %v", from, e.Cursor)
		return
	}
	h := c.Truth.Lookup(c.Room, e.Cursor.Epoch)
	if !from.IsNewRoom() && (h == nil || !h.contains(from.ID) && !c.isOrphan(h, from.ID)) {
		c.addFinding(SilentGap, "resumed at %v, where there never was an entry", e.Cursor)
	}
}

// checkTruncated checks that the truncation skips only entries that were trimmed. A client that
// has read exactly up to the end of a trim by hand may get truncated too, because Redis keeps no
// record of such a trim.
func (c *chain) checkTruncated(from Cursor, e *Event) {
	h := c.Truth.Lookup(c.Room, e.Cursor.Epoch)
	switch {
	case h == nil:
		c.addFinding(Invented, "truncated to %v, in a history that never existed", e.Cursor)
	case h.Trimmed.Before(from.ID) || !from.ID.Before(e.Cursor.ID):
		c.addFinding(FalseGap, "truncated from %v to %v, trimmed up to %v", from, e.Cursor, h.Trimmed)
	case len(h.between(h.Trimmed, e.Cursor.ID)) > 0:
		c.addFinding(SilentGap, "truncated to %v, although entries after %v are kept", e.Cursor, h.Trimmed)
	}
}

// checkReset checks that the history of the cursor was lost.
func (c *chain) checkReset(from Cursor, e *Event) {
	h := c.Truth.Lookup(c.Room, from.Epoch)
	exists := h != nil && h.contains(from.ID) && (h.DeletedAt.IsZero() || e.At.Before(h.DeletedAt))
	if from.IsNewRoom() || exists && !from.ID.Before(h.Trimmed) && !c.MayBeOrphan(from.ID) {
		c.addFinding(FalseGap, "reset, although the history of %v exists", from)
	}
}

// checkBatch checks that a batch starts where the previous one ended and has all entries up to its end.
func (c *chain) checkBatch(e *Event) {
	switch {
	case !c.followed:
		c.addFinding(WrongPosition, "entries after %v arrived before followed", e.After)
	case e.After.ID.Before(c.cursor.ID):
		c.addFinding(Repeated, "at %v, got batch (%v, %v]", c.cursor, e.After, e.Upto)
	case e.After != c.cursor:
		c.addFinding(SilentGap, "at %v, got batch (%v, %v]", c.cursor, e.After, e.Upto)
	}
	if c.cursor.Epoch != e.Upto.Epoch && !c.cursor.IsNewRoom() {
		c.addFinding(Conflict, "at %v, got batch (%v, %v] from another history", c.cursor, e.After, e.Upto)
	}
	c.checkOrder(e)
	if h := c.Truth.Lookup(c.Room, e.Upto.Epoch); h != nil {
		c.compare(h, e)
	} else {
		c.addFinding(Invented, "batch (%v, %v] is from a history that never existed", e.After, e.Upto)
	}
	c.cursor = e.Upto
}

// checkOrder checks that the entries' IDs ascend and lie within the batch.
func (c *chain) checkOrder(e *Event) {
	last, seen := e.After.ID, make(map[ID]bool)
	for _, got := range e.Entries {
		switch {
		case seen[got.ID] || !e.After.ID.Before(got.ID):
			c.addFinding(Repeated, "%v arrived again in (%v, %v]", got.ID, e.After, e.Upto)
		case got.ID.Before(last):
			c.addFinding(Reordered, "%v arrived after %v", got.ID, last)
		case e.Upto.ID.Before(got.ID):
			c.addFinding(WrongPosition, "batch (%v, %v] contains %v", e.After, e.Upto, got.ID)
		}
		last, seen[got.ID] = got.ID, true
	}
}

// compare compares a batch with the history.
func (c *chain) compare(h *History, e *Event) {
	got := make(map[ID]bool, len(e.Entries))
	for _, entry := range e.Entries {
		got[entry.ID] = true
		c.compareEntry(h, entry)
	}
	switch {
	case len(c.orphans) > 0: // after the reset that must come next, the client reads the entries again
		return
	case !h.contains(e.Upto.ID):
		if c.orphans = append(c.orphans, &Entry{ID: e.Upto.ID}); !c.isOrphan(h, e.Upto.ID) {
			c.addFinding(WrongPosition, "batch (%v, %v] ends where there never was an entry", e.After, e.Upto)
		}
		return
	}
	for _, want := range h.between(e.After.ID, e.Upto.ID) {
		if !got[want.ID] && !h.Deleted[want.ID] {
			c.addFinding(SilentGap, "batch (%v, %v] lacks %v: %q", e.After, e.Upto, want.ID, want.Text)
		}
	}
}

// compareEntry compares one entry with the history. An entry that the history does not have may be an
// orphan. Then all clients that have read its ID must have read the same entry.
func (c *chain) compareEntry(h *History, got *Entry) {
	switch stored := h.ByID[got.ID]; {
	case stored != nil && *stored != *got:
		c.addFinding(Conflict, "read %+v, but %+v is stored", *got, *stored)
	case stored != nil && len(c.orphans) > 0:
		c.addFinding(SilentGap, "read %v, which was lost, and then %v without a reset", c.orphans[0].ID, got.ID)
		c.orphans = nil
	case stored != nil || h.Deleted[got.ID]:
	case c.isOrphan(h, got.ID):
		c.orphans = append(c.orphans, got)
		key := c.Room + "/" + got.ID.String()
		if other := c.versions[key]; other != nil && *other != *got {
			c.addFinding(Conflict, "read %+v, but another client read %+v", *got, *other)
		}
		c.versions[key] = got
	case c.byKey[got.Key] != nil && c.byKey[got.Key].Room != c.Room:
		c.addFinding(Leaked, "read %v, which was sent to room %s", got.ID, c.byKey[got.Key].Room)
	default:
		c.addFinding(Invented, "read %v, which is in no history: %q", got.ID, got.Text)
	}
}

// isOrphan reports whether the entry may have been in the history until an old primary was lost.
func (c *chain) isOrphan(h *History, at ID) bool { return h.Orphans[at] != nil || c.MayBeOrphan(at) }

// checkEnd checks that the client has read the room to its end.
func (c *chain) checkEnd() {
	epoch, h := c.Truth.Current(c.Room)
	switch {
	case c.Account != "" && !c.isMember():
		if last := c.LastReply(); last != nil && last.Kind != Closed && last.Kind != Refused {
			c.addFinding(WrongEnd, "still follows, but is not a member")
		}
	case c.Partial: // the client may have left before a server could detect the loss
	case len(c.orphans) > 0:
		c.addFinding(SilentGap, "read %v, which was lost, and never got a reset", c.orphans[0].ID)
	case h != nil && (c.cursor.Epoch != epoch || c.cursor.ID != h.end()):
		c.addFinding(Incomplete, "ended at %v, but the room ends at %v@%s", c.cursor, h.end(), epoch)
	}
}
