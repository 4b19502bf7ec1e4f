package check

import (
	"fmt"
	"slices"
)

// chain checks one transcript, event by event.
type chain struct {
	*Checker
	*Transcript
	request *Event // that is not answered yet
	placed  bool   // a followed was received
	at      Cursor
	orphans []*Entry // read, and in no history now: a reset must come before anything else
	index   int      // of the event
}

func (c *chain) check() {
	for i := range c.Events {
		c.index = i
		switch e := &c.Events[i]; e.Kind {
		case Requested:
			c.request, c.placed = e, false
			// A client that goes back behind a lost entry does not continue after it.
			c.orphans = slices.DeleteFunc(c.orphans, func(orphan *Entry) bool { return e.Fresh || e.Place.ID.Before(orphan.ID) })
		case Followed:
			c.checkFollowed(e)
		case Batch:
			c.checkBatch(e)
		}
	}
	c.checkEnd()
}

// find adds a finding with the last few events of the transcript.
func (c *chain) find(flaw Flaw, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for i := max(0, c.index-3); i <= c.index && i < len(c.Events); i++ {
		text += fmt.Sprintf("\n      %v", &c.Events[i])
	}
	c.Checker.find(flaw, "%s in room %s: %s", c.Client, c.Room, text)
}

// checkFollowed checks where reading begins: against the request, or, if there was none,
// against the cursor reached.
func (c *chain) checkFollowed(e *Event) {
	from, fresh := c.at, false
	if c.request != nil {
		from, fresh = c.request.Place, c.request.Fresh
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
		c.find(Misplaced, "followed %q at %v after a request for %v (fresh: %v)", e.State, e.Place, from, fresh)
	}
	if e.State == "fresh" || e.State == "reset" {
		c.orphans = nil
	}
	c.at, c.placed, c.request = e.Place, true, nil
}

func (c *chain) checkResumed(from Cursor, e *Event) {
	sameEpoch := from.Epoch == "" || from.IsNewRoom() || from.Epoch == e.Place.Epoch
	if from.ID != e.Place.ID || !sameEpoch {
		c.find(Misplaced, "requested %v and resumed at %v", from, e.Place)
		return
	}
	h := c.Truth.Of(c.Room, e.Place.Epoch)
	if !from.IsNewRoom() && (h == nil || !h.has(from.ID) && !c.isOrphan(h, from.ID)) {
		c.find(Gap, "resumed at %v, where no entry ever was", e.Place)
	}
}

// checkTruncated checks that nothing is skipped that is still kept. A client that had read
// exactly up to a trim by hand may get truncated too: Redis keeps no record of where
// it was, and a server that did not see the trim cannot know.
func (c *chain) checkTruncated(from Cursor, e *Event) {
	h := c.Truth.Of(c.Room, e.Place.Epoch)
	switch {
	case h == nil:
		c.find(Invented, "truncated to %v, in a history that never was", e.Place)
	case h.Trimmed.Before(from.ID) || !from.ID.Before(e.Place.ID):
		c.find(Undue, "truncated from %v to %v, trimmed up to %v", from, e.Place, h.Trimmed)
	case len(h.between(h.Trimmed, e.Place.ID)) > 0:
		c.find(Gap, "truncated to %v, though entries after %v are kept", e.Place, h.Trimmed)
	}
}

// checkReset checks that the cursor's history is really lost.
func (c *chain) checkReset(from Cursor, e *Event) {
	h := c.Truth.Of(c.Room, from.Epoch)
	exists := h != nil && h.has(from.ID) && (h.Ended.IsZero() || e.At.Before(h.Ended))
	if from.IsNewRoom() || exists && !from.ID.Before(h.Trimmed) && !c.MayBeOrphan(from.ID) {
		c.find(Undue, "reset, though %v is in a history that exists", from)
	}
}

// checkBatch checks that a batch begins where the last one ended and has all entries up to
// its own end.
func (c *chain) checkBatch(e *Event) {
	switch {
	case !c.placed:
		c.find(Misplaced, "entries after %v came before followed", e.After)
	case e.After.ID.Before(c.at.ID):
		c.find(Repeated, "at %v came (%v, %v]", c.at, e.After, e.Upto)
	case e.After != c.at:
		c.find(Gap, "at %v came (%v, %v]", c.at, e.After, e.Upto)
	}
	if c.at.Epoch != e.Upto.Epoch && !c.at.IsNewRoom() {
		c.find(Forked, "at %v came (%v, %v], of another history", c.at, e.After, e.Upto)
	}
	c.checkOrder(e)
	if h := c.Truth.Of(c.Room, e.Upto.Epoch); h != nil {
		c.compare(h, e)
	} else {
		c.find(Invented, "(%v, %v] is of a history that never was", e.After, e.Upto)
	}
	c.at = e.Upto
}

// checkOrder checks that the entries ascend from the batch's beginning to its end.
func (c *chain) checkOrder(e *Event) {
	last, seen := e.After.ID, make(map[ID]bool)
	for _, got := range e.Entries {
		switch {
		case seen[got.ID] || !e.After.ID.Before(got.ID):
			c.find(Repeated, "%v came again in (%v, %v]", got.ID, e.After, e.Upto)
		case got.ID.Before(last):
			c.find(Reordered, "%v came after %v", got.ID, last)
		case e.Upto.ID.Before(got.ID):
			c.find(Misplaced, "(%v, %v] holds %v", e.After, e.Upto, got.ID)
		}
		last, seen[got.ID] = got.ID, true
	}
}

// compare compares a batch with the history.
func (c *chain) compare(h *History, e *Event) {
	got := make(map[ID]bool, len(e.Entries))
	for _, one := range e.Entries {
		got[one.ID] = true
		c.compareEntry(h, one)
	}
	switch {
	case len(c.orphans) > 0: // a reset must come, and then entries are read again
		return
	case !h.has(e.Upto.ID):
		if c.orphans = append(c.orphans, &Entry{ID: e.Upto.ID}); !c.isOrphan(h, e.Upto.ID) {
			c.find(Misplaced, "(%v, %v] ends where no entry ever was", e.After, e.Upto)
		}
		return
	}
	for _, want := range h.between(e.After.ID, e.Upto.ID) {
		if !got[want.ID] && !h.Deleted[want.ID] {
			c.find(Gap, "(%v, %v] lacks %v: %q", e.After, e.Upto, want.ID, want.Text)
		}
	}
}

// compareEntry compares one entry with the history. An entry that is in no history may be
// an orphan; then all clients that read it must have read the same.
func (c *chain) compareEntry(h *History, got *Entry) {
	switch stored := h.ByID[got.ID]; {
	case stored != nil && *stored != *got:
		c.find(Forked, "read %+v, stored is %+v", *got, *stored)
	case stored != nil && len(c.orphans) > 0:
		c.find(Gap, "read %v, which is lost, then %v without a reset between them", c.orphans[0].ID, got.ID)
		c.orphans = nil
	case stored != nil || h.Deleted[got.ID]:
	case c.isOrphan(h, got.ID):
		c.orphans = append(c.orphans, got)
		key := c.Room + "/" + got.ID.String()
		if other := c.versions[key]; other != nil && *other != *got {
			c.find(Forked, "read %+v, another client %+v", *got, *other)
		}
		c.versions[key] = got
	case c.byKey[got.Key] != nil && c.byKey[got.Key].Room != c.Room:
		c.find(Leaked, "read %v, which was sent to room %s", got.ID, c.byKey[got.Key].Room)
	default:
		c.find(Invented, "read %v, which is in no history: %q", got.ID, got.Text)
	}
}

// isOrphan reports whether a place may have been in the history and been lost with an old
// primary.
func (c *chain) isOrphan(h *History, at ID) bool { return h.Orphans[at] != nil || c.MayBeOrphan(at) }

// checkEnd checks that the client had read everything in the end.
func (c *chain) checkEnd() {
	epoch, h := c.Truth.Current(c.Room)
	switch {
	case c.Leaves: // perhaps before a server could know what was lost
	case len(c.orphans) > 0:
		c.find(Gap, "read %v, which is lost, and was never told reset", c.orphans[0].ID)
	case h != nil && (c.at.Epoch != epoch || c.at.ID != h.end()):
		c.find(Behind, "ended at %v, the room at %v@%s", c.at, h.end(), epoch)
	}
}
