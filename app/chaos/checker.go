package chaos

import (
	"fmt"
	"slices"
	"time"
)

// flaw is a kind of what must not happen.
type flaw string

const (
	lost       flaw = "lost"       // acknowledged, and not stored
	repeated   flaw = "repeated"   // stored or told twice
	reordered  flaw = "reordered"  // not in stream order, or not in its author's
	gap        flaw = "silent gap" // something was left out, and nobody said so
	invented   flaw = "invented"   // nobody sent it, or it is in no history
	forked     flaw = "forked"     // one ID, two stories
	leaked     flaw = "leaked"     // another room's
	misplaced  flaw = "misplaced"  // a reading that begins or ends elsewhere than it should
	undue      flaw = "undue"      // a gap was declared where there is none
	wrongReply flaw = "wrong reply"
	stale      flaw = "stale" // a fresh read did not show what was acknowledged before it
	late       flaw = "late"
	behind     flaw = "behind"  // not everything was told in the end
	unclean    flaw = "unclean" // goroutines, connections, memory that did not come back, a crash
)

// finding is a flaw that was found, and where.
type finding struct {
	flaw flaw
	text string
}

// evidence is all that a run leaves behind.
type evidence struct {
	truth       truth
	transcripts []*transcript
	sent        []*sent
	pages       []*page
	strange     []finding // what clients found strange at once

	// May an entry of that time have been told and lost again, because there were
	// two primaries? And may it even have been acknowledged?
	mayPart, mayLose func(id) bool
}

// answerLimit is how long a send may wait for its answer on a connection that lives.
const answerLimit = 20 * time.Second

// checker compares what everybody was told with what Redis held.
type checker struct {
	evidence
	byKey    map[string]*sent
	stored   map[string][]place // by key
	stories  map[string]*entry  // by room and ID: entries that are in no history any more
	findings []finding
	declared int // gaps that clients were told of
}

// place is where a key was stored.
type place struct {
	history *history
	id      id
}

func check(e evidence) *checker {
	c := &checker{
		evidence: e, findings: e.strange,
		byKey: make(map[string]*sent), stored: make(map[string][]place), stories: make(map[string]*entry),
	}
	for _, s := range e.sent {
		c.byKey[s.entry.key] = s
	}
	for room, histories := range e.truth {
		for epoch, h := range histories {
			c.stream(room, epoch, h)
		}
	}
	for _, s := range e.sent {
		c.send(s)
	}
	c.authors()
	for _, t := range e.transcripts {
		(&chain{checker: c, transcript: t}).check()
	}
	for _, p := range e.pages {
		c.page(p)
	}
	return c
}

func (c *checker) find(flaw flaw, format string, args ...any) {
	c.findings = append(c.findings, finding{flaw, fmt.Sprintf(format, args...)})
}

// count is how many findings are of the flaw.
func (c *checker) count(flaw flaw) (count int) {
	for _, found := range c.findings {
		if found.flaw == flaw {
			count++
		}
	}
	return count
}

// stream checks one history: every number once, every key once, everything somebody's.
func (c *checker) stream(room, epoch string, h *history) {
	numbers := make(map[int64]bool)
	keys := make(map[string]bool)
	most := int64(0)
	for i, e := range h.entries {
		if i > 0 && e.n <= h.entries[i-1].n {
			c.find(reordered, "room %s@%s: entry %v has number %d after %d", room, epoch, e.id, e.n, h.entries[i-1].n)
		}
		if keys[e.key] {
			c.find(repeated, "room %s@%s: key %s is stored twice", room, epoch, e.key)
		}
		keys[e.key], numbers[e.n], most = true, true, max(most, e.n)
		c.stored[e.key] = append(c.stored[e.key], place{h, e.id})
		c.authentic(room, e)
	}
	missing := most - int64(len(numbers))
	for erased := range h.erased {
		if h.byID[erased] == nil {
			missing--
		}
	}
	if missing != 0 {
		c.find(gap, "room %s@%s: %d of %d numbers are not accounted for", room, epoch, missing, most)
	}
}

// authentic checks that a stored entry is what its author sent, to this room.
func (c *checker) authentic(room string, e *entry) {
	s := c.byKey[e.key]
	switch {
	case s == nil:
		c.find(invented, "room %s: nobody sent what is stored as %v: %q", room, e.id, e.text)
	case s.room != room:
		c.find(leaked, "room %s: what was sent to %s is stored as %v", room, s.room, e.id)
	case s.entry.kind != e.kind || s.entry.text != e.text || s.entry.user != e.user || s.entry.of != e.of:
		c.find(forked, "room %s: %v is stored as %+v, sent as %+v", room, e.id, *e, s.entry)
	}
}

// send checks that what was acknowledged is stored, and under the ID that was told.
func (c *checker) send(s *sent) {
	for _, told := range s.acks {
		c.ack(s, told)
	}
	if len(s.acks) == 0 && !s.gaveUp && s.refused == "" {
		c.find(behind, "%s: a send to %s was never answered", s.author, s.room)
	}
	if s.refused != "" {
		c.find(wrongReply, "%s: a send to %s was refused: %s", s.author, s.room, s.refused)
	}
	for _, tried := range s.attempts {
		if took := tried.answered.Sub(tried.at); took > answerLimit {
			c.find(late, "%s: a send to %s was answered after %v", s.author, s.room, took)
		}
	}
}

func (c *checker) ack(s *sent, told id) {
	places := c.stored[s.entry.key]
	if slices.ContainsFunc(places, func(p place) bool { return p.id == told }) {
		return
	}
	for _, h := range c.truth[s.room] {
		if h.erased[told] || h.parted[told] != nil {
			return
		}
	}
	switch {
	case c.mayLose(told):
	case len(places) > 0:
		c.find(wrongReply, "%s: told that %s is stored as %v, which is stored as %v", s.author, s.entry.key, told, places[0].id)
	default:
		c.find(lost, "%s: room %s: acknowledged as %v and not stored: %q", s.author, s.room, told, s.entry.text)
	}
}

// authors checks that what was acknowledged before the next was sent stands before it.
func (c *checker) authors() {
	type line struct{ author, room string }
	type stand struct {
		burst            int
		before, all, now id // the greatest of earlier bursts, of all, of this burst at the first attempt
	}
	stands := make(map[line]*stand)
	for _, s := range c.sent {
		if len(s.acks) == 0 {
			continue
		}
		at := stands[line{s.author, s.room}]
		if at == nil {
			at = &stand{burst: s.burst}
			stands[line{s.author, s.room}] = at
		}
		if at.burst != s.burst {
			at.burst, at.before, at.now = s.burst, at.all, id{}
		}
		stored, once := s.acks[len(s.acks)-1], len(s.attempts) == 1
		if stored.before(at.before) || once && stored.before(at.now) {
			c.find(reordered, "%s: room %s: %q is stored as %v, before what was sent earlier", s.author, s.room, s.entry.text, stored)
		}
		at.all = latest(at.all, stored)
		if once {
			at.now = stored
		}
	}
}

// page checks that a fresh read shows what was acknowledged before it.
func (c *checker) page(p *page) {
	h := c.truth.of(p.room, p.asOf.epoch)
	if h == nil || h.byID[p.wanted] == nil || h.erased[p.wanted] || !h.trimmed.before(p.wanted) || c.mayPart(p.wanted) {
		return
	}
	if p.older && len(p.ids) > 0 && p.wanted.before(p.ids[0]) {
		return // it went by
	}
	if !slices.Contains(p.ids, p.wanted) {
		c.find(stale, "room %s: %v was acknowledged, and a read as of %v does not show it", p.room, p.wanted, p.asOf)
	}
}
