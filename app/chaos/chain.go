package chaos

import (
	"fmt"
	"slices"
)

// chain checks one transcript, event by event.
type chain struct {
	*checker
	*transcript
	request *event // that is not answered yet
	placed  bool   // a followed has come
	at      cursor
	orphans []*entry // read, and in no history now: a reset must come before anything else
	index   int      // of the event
}

func (c *chain) check() {
	for i := range c.events {
		c.index = i
		switch e := &c.events[i]; e.kind {
		case requested:
			c.request, c.placed = e, false
			// A client that goes back behind a lost entry does not continue after it.
			c.orphans = slices.DeleteFunc(c.orphans, func(orphan *entry) bool { return e.fresh || e.place.id.before(orphan.id) })
		case followed:
			c.checkFollowed(e)
		case batch:
			c.checkBatch(e)
		}
	}
	c.checkEnd()
}

// find adds a finding with the last few events of the transcript.
func (c *chain) find(flaw flaw, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for i := max(0, c.index-3); i <= c.index && i < len(c.events); i++ {
		text += fmt.Sprintf("\n      %v", &c.events[i])
	}
	c.checker.find(flaw, "%s in room %s: %s", c.client, c.room, text)
}

// checkFollowed checks where reading begins: against the request, or, if there was none,
// against the cursor reached.
func (c *chain) checkFollowed(e *event) {
	from, fresh := c.at, false
	if c.request != nil {
		from, fresh = c.request.place, c.request.fresh
	}
	switch {
	case e.state == "fresh" && c.request != nil && fresh:
	case e.state == "resumed" && c.request != nil && !fresh:
		c.checkResumed(from, e)
	case e.state == "truncated" && !fresh:
		c.declared++
		c.checkTruncated(from, e)
	case e.state == "reset" && !fresh:
		c.declared++
		c.checkReset(from, e)
	default:
		c.find(misplaced, "followed %q at %v after a request for %v (fresh: %v)", e.state, e.place, from, fresh)
	}
	if e.state == "fresh" || e.state == "reset" {
		c.orphans = nil
	}
	c.at, c.placed, c.request = e.place, true, nil
}

func (c *chain) checkResumed(from cursor, e *event) {
	sameEpoch := from.epoch == "" || from.isNewRoom() || from.epoch == e.place.epoch
	if from.id != e.place.id || !sameEpoch {
		c.find(misplaced, "requested %v and resumed at %v", from, e.place)
		return
	}
	h := c.truth.of(c.room, e.place.epoch)
	if !from.isNewRoom() && (h == nil || !h.has(from.id) && !c.isOrphan(h, from.id)) {
		c.find(gap, "resumed at %v, where no entry ever was", e.place)
	}
}

// checkTruncated checks that nothing is skipped that is still kept. A client that had read
// exactly up to a trim by hand may be told truncated too: Redis keeps no record of where
// it was, and a server that did not see the trim cannot know.
func (c *chain) checkTruncated(from cursor, e *event) {
	h := c.truth.of(c.room, e.place.epoch)
	switch {
	case h == nil:
		c.find(invented, "truncated to %v, in a history that never was", e.place)
	case h.trimmed.before(from.id) || !from.id.before(e.place.id):
		c.find(undue, "truncated from %v to %v, trimmed up to %v", from, e.place, h.trimmed)
	case len(h.between(h.trimmed, e.place.id)) > 0:
		c.find(gap, "truncated to %v, though entries after %v are kept", e.place, h.trimmed)
	}
}

// checkReset checks that the cursor's history is really lost.
func (c *chain) checkReset(from cursor, e *event) {
	h := c.truth.of(c.room, from.epoch)
	exists := h != nil && h.has(from.id) && (h.ended.IsZero() || e.at.Before(h.ended))
	if from.isNewRoom() || exists && !from.id.before(h.trimmed) && !c.mayBeOrphan(from.id) {
		c.find(undue, "reset, though %v is in a history that exists", from)
	}
}

// checkBatch checks that a batch begins where the last one ended and has all entries up to
// its own end.
func (c *chain) checkBatch(e *event) {
	switch {
	case !c.placed:
		c.find(misplaced, "entries after %v came before followed", e.after)
	case e.after.id.before(c.at.id):
		c.find(repeated, "at %v came (%v, %v]", c.at, e.after, e.upto)
	case e.after != c.at:
		c.find(gap, "at %v came (%v, %v]", c.at, e.after, e.upto)
	}
	if c.at.epoch != e.upto.epoch && !c.at.isNewRoom() {
		c.find(forked, "at %v came (%v, %v], of another history", c.at, e.after, e.upto)
	}
	c.checkOrder(e)
	if h := c.truth.of(c.room, e.upto.epoch); h != nil {
		c.compare(h, e)
	} else {
		c.find(invented, "(%v, %v] is of a history that never was", e.after, e.upto)
	}
	c.at = e.upto
}

// checkOrder checks that the entries ascend from the batch's beginning to its end.
func (c *chain) checkOrder(e *event) {
	last, seen := e.after.id, make(map[id]bool)
	for _, got := range e.entries {
		switch {
		case seen[got.id] || !e.after.id.before(got.id):
			c.find(repeated, "%v came again in (%v, %v]", got.id, e.after, e.upto)
		case got.id.before(last):
			c.find(reordered, "%v came after %v", got.id, last)
		case e.upto.id.before(got.id):
			c.find(misplaced, "(%v, %v] holds %v", e.after, e.upto, got.id)
		}
		last, seen[got.id] = got.id, true
	}
}

// compare compares a batch with the history.
func (c *chain) compare(h *history, e *event) {
	got := make(map[id]bool, len(e.entries))
	for _, one := range e.entries {
		got[one.id] = true
		c.compareEntry(h, one)
	}
	switch {
	case len(c.orphans) > 0: // a reset must come, and then entries are read again
		return
	case !h.has(e.upto.id):
		if c.orphans = append(c.orphans, &entry{id: e.upto.id}); !c.isOrphan(h, e.upto.id) {
			c.find(misplaced, "(%v, %v] ends where no entry ever was", e.after, e.upto)
		}
		return
	}
	for _, want := range h.between(e.after.id, e.upto.id) {
		if !got[want.id] && !h.deleted[want.id] {
			c.find(gap, "(%v, %v] lacks %v: %q", e.after, e.upto, want.id, want.text)
		}
	}
}

// compareEntry compares one entry with the history. An entry that is in no history may be
// an orphan; then all clients that read it must have read the same.
func (c *chain) compareEntry(h *history, got *entry) {
	switch stored := h.byID[got.id]; {
	case stored != nil && *stored != *got:
		c.find(forked, "read %+v, stored is %+v", *got, *stored)
	case stored != nil && len(c.orphans) > 0:
		c.find(gap, "read %v, which is lost, then %v without a reset between them", c.orphans[0].id, got.id)
		c.orphans = nil
	case stored != nil || h.deleted[got.id]:
	case c.isOrphan(h, got.id):
		c.orphans = append(c.orphans, got)
		key := c.room + "/" + got.id.String()
		if other := c.versions[key]; other != nil && *other != *got {
			c.find(forked, "read %+v, another client %+v", *got, *other)
		}
		c.versions[key] = got
	case c.byKey[got.key] != nil && c.byKey[got.key].room != c.room:
		c.find(leaked, "read %v, which was sent to room %s", got.id, c.byKey[got.key].room)
	default:
		c.find(invented, "read %v, which is in no history: %q", got.id, got.text)
	}
}

// isOrphan reports whether a place may have been in the history and been lost with an old
// primary.
func (c *chain) isOrphan(h *history, at id) bool { return h.orphans[at] != nil || c.mayBeOrphan(at) }

// checkEnd checks that the client had read everything in the end.
func (c *chain) checkEnd() {
	epoch, h := c.truth.current(c.room)
	switch {
	case c.leaves: // perhaps before a server could know what was lost
	case len(c.orphans) > 0:
		c.find(gap, "read %v, which is lost, and was never told reset", c.orphans[0].id)
	case h != nil && (c.at.epoch != epoch || c.at.id != h.end()):
		c.find(behind, "ended at %v, the room at %v@%s", c.at, h.end(), epoch)
	}
}
