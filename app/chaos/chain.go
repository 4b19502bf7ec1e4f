package chaos

import (
	"fmt"
	"slices"
)

// chain follows one transcript from frame to frame.
type chain struct {
	*checker
	*transcript
	asked  *event // a question that is not answered yet
	placed bool
	at     cursor
	parted []*entry // told, and in no history now: a reset must come before anything else
	now    int      // which event
}

func (c *chain) check() {
	for i := range c.events {
		c.now = i
		switch e := &c.events[i]; e.what {
		case asked:
			c.asked, c.placed = e, false
			// Who goes back behind what is lost asks for it no more.
			c.parted = slices.DeleteFunc(c.parted, func(told *entry) bool { return e.fresh || e.place.id.before(told.id) })
		case told:
			c.told(e)
		case read:
			c.read(e)
		}
	}
	c.end()
}

func (c *chain) found(flaw flaw, format string, args ...any) {
	story := fmt.Sprintf(format, args...)
	for i := max(0, c.now-3); i <= c.now && i < len(c.events); i++ {
		story += fmt.Sprintf("\n      %v", &c.events[i])
	}
	c.find(flaw, "%s in room %s: %s", c.client, c.room, story)
}

// told checks where a reading begins against what was asked, or against where it
// stood if nobody asked.
func (c *chain) told(e *event) {
	from, fresh := c.at, false
	if c.asked != nil {
		from, fresh = c.asked.place, c.asked.fresh
	}
	switch {
	case e.state == "fresh" && c.asked != nil && fresh:
	case e.state == "resumed" && c.asked != nil && !fresh:
		c.resumed(from, e)
	case e.state == "truncated" && !fresh:
		c.declared++
		c.truncated(from, e)
	case e.state == "reset" && !fresh:
		c.declared++
		c.reset(from, e)
	default:
		c.found(misplaced, "told %q at %v, asked for %v (fresh: %v)", e.state, e.place, from, fresh)
	}
	if e.state == "fresh" || e.state == "reset" {
		c.parted = nil
	}
	c.at, c.placed, c.asked = e.place, true, nil
}

func (c *chain) resumed(from cursor, e *event) {
	sameEpoch := from.epoch == "" || from.unborn() || from.epoch == e.place.epoch
	if from.id != e.place.id || !sameEpoch {
		c.found(misplaced, "asked for %v and resumed at %v", from, e.place)
		return
	}
	h := c.truth.of(c.room, e.place.epoch)
	if !from.unborn() && (h == nil || !h.has(from.id) && !c.parts(h, from.id)) {
		c.found(gap, "resumed at %v, where there is nothing", e.place)
	}
}

// truncated says that entries are no longer kept: all that it passes over must be such.
// Who had read just as far as somebody trimmed by hand may be told so too: Redis keeps no
// record of where that was, and a server that was not there at the time cannot know.
func (c *chain) truncated(from cursor, e *event) {
	h := c.truth.of(c.room, e.place.epoch)
	switch {
	case h == nil:
		c.found(invented, "truncated to %v, of a history that never was", e.place)
	case h.trimmed.before(from.id) || !from.id.before(e.place.id):
		c.found(undue, "truncated from %v to %v, trimmed through %v", from, e.place, h.trimmed)
	case len(h.between(h.trimmed, e.place.id)) > 0:
		c.found(gap, "truncated to %v, though entries after %v were kept", e.place, h.trimmed)
	}
}

// reset says that the place is of a lost history: it must be.
func (c *chain) reset(from cursor, e *event) {
	h := c.truth.of(c.room, from.epoch)
	lives := h != nil && h.has(from.id) && (h.ended.IsZero() || e.at.Before(h.ended))
	if from.unborn() || lives && !from.id.before(h.trimmed) && !c.mayPart(from.id) {
		c.found(undue, "reset, though %v is a place of a history that lives", from)
	}
}

// read checks one frame: it begins where the last one ended, and holds everything
// that there is up to its own end.
func (c *chain) read(e *event) {
	switch {
	case !c.placed:
		c.found(misplaced, "entries after %v before any followed", e.after)
	case e.after.id.before(c.at.id):
		c.found(repeated, "at %v came (%v, %v]", c.at, e.after, e.upto)
	case e.after != c.at:
		c.found(gap, "at %v came (%v, %v]", c.at, e.after, e.upto)
	}
	if c.at.epoch != e.upto.epoch && !c.at.unborn() {
		c.found(forked, "at %v came (%v, %v], of another history", c.at, e.after, e.upto)
	}
	c.order(e)
	if h := c.truth.of(c.room, e.upto.epoch); h != nil {
		c.compare(h, e)
	} else {
		c.found(invented, "(%v, %v] is of a history that never was", e.after, e.upto)
	}
	c.at = e.upto
}

// order checks that the frame ascends from its beginning to its end.
func (c *chain) order(e *event) {
	last, seen := e.after.id, make(map[id]bool)
	for _, got := range e.entries {
		switch {
		case seen[got.id] || !e.after.id.before(got.id):
			c.found(repeated, "%v came again in (%v, %v]", got.id, e.after, e.upto)
		case got.id.before(last):
			c.found(reordered, "%v came after %v", got.id, last)
		case e.upto.id.before(got.id):
			c.found(misplaced, "(%v, %v] holds %v", e.after, e.upto, got.id)
		}
		last, seen[got.id] = got.id, true
	}
}

// compare compares a frame with the history.
func (c *chain) compare(h *history, e *event) {
	got := make(map[id]bool, len(e.entries))
	for _, one := range e.entries {
		got[one.id] = true
		c.entry(h, one)
	}
	switch {
	case len(c.parted) > 0: // of a branch that is lost: a reset must come
		return
	case !h.has(e.upto.id):
		if c.parted = append(c.parted, &entry{id: e.upto.id}); !c.parts(h, e.upto.id) {
			c.found(misplaced, "(%v, %v] ends where there is nothing", e.after, e.upto)
		}
		return
	}
	for _, want := range h.between(e.after.id, e.upto.id) {
		if !got[want.id] && !h.erased[want.id] {
			c.found(gap, "(%v, %v] lacks %v: %q", e.after, e.upto, want.id, want.text)
		}
	}
}

// entry checks one entry. One that is in no history any more may have been told
// where two primaries were possible; then all who were told it were told the same.
func (c *chain) entry(h *history, got *entry) {
	switch stored := h.byID[got.id]; {
	case stored != nil && *stored != *got:
		c.found(forked, "told %+v, stored is %+v", *got, *stored)
	case stored != nil && len(c.parted) > 0:
		c.found(gap, "told %v, which is lost, then %v without a reset between", c.parted[0].id, got.id)
		c.parted = nil
	case stored != nil || h.erased[got.id]:
	case c.parts(h, got.id):
		c.parted = append(c.parted, got)
		story := c.room + "/" + got.id.String()
		if other := c.stories[story]; other != nil && *other != *got {
			c.found(forked, "told %+v, somebody else %+v", *got, *other)
		}
		c.stories[story] = got
	case c.byKey[got.key] != nil && c.byKey[got.key].room != c.room:
		c.found(leaked, "told %v, which was sent to %s", got.id, c.byKey[got.key].room)
	default:
		c.found(invented, "told %v, which is in no history: %q", got.id, got.text)
	}
}

// parts says whether a place may have been one of the history, and be lost.
func (c *chain) parts(h *history, at id) bool { return h.parted[at] != nil || c.mayPart(at) }

// end checks that everything was told in the end.
func (c *chain) end() {
	epoch, h := c.truth.living(c.room)
	switch {
	case c.leaves: // perhaps before anybody could know what was lost
	case len(c.parted) > 0:
		c.found(gap, "told %v, which is lost, and never a reset", c.parted[0].id)
	case h != nil && (c.at.epoch != epoch || c.at.id != h.end()):
		c.found(behind, "ended at %v, the room at %v@%s", c.at, h.end(), epoch)
	}
}
