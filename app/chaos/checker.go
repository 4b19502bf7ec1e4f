package chaos

import (
	"fmt"
	"slices"
	"time"
)

// flaw is a kind of wrong behaviour.
type flaw string

const (
	lost       flaw = "lost"       // acknowledged and not stored
	repeated   flaw = "repeated"   // stored or sent to a client twice
	reordered  flaw = "reordered"  // out of the order of the stream, or of its author
	gap        flaw = "silent gap" // an entry was left out, and the client not told
	invented   flaw = "invented"   // nobody sent it, or it is in no history
	forked     flaw = "forked"     // two different entries have the same ID
	leaked     flaw = "leaked"     // from another room
	misplaced  flaw = "misplaced"  // reading begins or ends at a wrong place
	undue      flaw = "undue gap"  // a gap was declared where there is none
	wrongReply flaw = "wrong reply"
	stale      flaw = "stale" // a fresh read did not show what was acknowledged before it
	late       flaw = "late"
	behind     flaw = "behind"  // a client did not get everything in the end
	unclean    flaw = "unclean" // a crash, or goroutines, connections or memory that were not released
)

// finding is one occurrence of a flaw.
type finding struct {
	flaw flaw
	text string
}

// evidence is all that the checker needs to know of a phase.
type evidence struct {
	truth       truth
	transcripts []*transcript
	sent        []*sent
	pages       []*page
	findings    []finding // flaws that clients saw at once

	// mayBeOrphan reports whether an entry of that time may have been read and lost
	// again, because two primaries were possible; mayLose, whether it may even have been
	// acknowledged.
	mayBeOrphan, mayLose func(id) bool
}

// answerLimit is how long a send may wait for its answer on a working connection.
const answerLimit = 20 * time.Second

// checker compares what clients were told with what Redis held.
type checker struct {
	evidence
	byKey    map[string]*sent
	stored   map[string][]place // by key
	versions map[string]*entry  // orphans as some client read them, by room and ID
	declared int                // gaps that clients were told of
}

// place is where a key is stored.
type place struct {
	history *history
	id      id
}

// check returns a checker with all findings.
func check(e evidence) *checker {
	c := &checker{
		evidence: e, byKey: make(map[string]*sent), stored: make(map[string][]place), versions: make(map[string]*entry),
	}
	for _, s := range e.sent {
		c.byKey[s.entry.key] = s
	}
	for room, histories := range e.truth {
		for epoch, h := range histories {
			c.checkHistory(room, epoch, h)
		}
	}
	for _, s := range e.sent {
		c.checkSent(s)
	}
	c.checkAuthors()
	for _, t := range e.transcripts {
		(&chain{checker: c, transcript: t}).check()
	}
	for _, p := range e.pages {
		c.checkPage(p)
	}
	return c
}

func (c *checker) find(flaw flaw, format string, args ...any) {
	c.findings = append(c.findings, finding{flaw, fmt.Sprintf(format, args...)})
}

// count returns how many findings are of the flaw.
func (c *checker) count(flaw flaw) (count int) {
	for _, finding := range c.findings {
		if finding.flaw == flaw {
			count++
		}
	}
	return count
}

// checkHistory checks that each number and each key occurs once, and that every entry was
// sent.
func (c *checker) checkHistory(room, epoch string, h *history) {
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
		c.checkStored(room, e)
	}
	missing := most - int64(len(numbers))
	for deleted := range h.deleted {
		if h.byID[deleted] == nil {
			missing--
		}
	}
	if missing != 0 {
		c.find(gap, "room %s@%s: %d of %d numbers are missing", room, epoch, missing, most)
	}
}

// checkStored checks that a stored entry is what its author sent to this room.
func (c *checker) checkStored(room string, e *entry) {
	s := c.byKey[e.key]
	switch {
	case s == nil:
		c.find(invented, "room %s: nobody sent what is stored as %v: %q", room, e.id, e.text)
	case s.room != room:
		c.find(leaked, "room %s: an entry for room %s is stored as %v", room, s.room, e.id)
	case s.entry.kind != e.kind || s.entry.text != e.text || s.entry.user != e.user || s.entry.of != e.of:
		c.find(forked, "room %s: %v is stored as %+v, sent as %+v", room, e.id, *e, s.entry)
	}
}

// checkSent checks the answers to a send.
func (c *checker) checkSent(s *sent) {
	for _, ack := range s.acks {
		c.checkAck(s, ack)
	}
	if len(s.acks) == 0 && !s.abandoned && s.refused == "" {
		c.find(behind, "%s: a send to %s was never answered", s.author, s.room)
	}
	if s.refused != "" {
		c.find(wrongReply, "%s: a send to %s was refused: %s", s.author, s.room, s.refused)
	}
	for _, attempt := range s.attempts {
		if took := attempt.answered.Sub(attempt.at); took > answerLimit {
			c.find(late, "%s: a send to %s was answered after %v", s.author, s.room, took)
		}
	}
}

// checkAck checks that an acknowledged entry is stored, under the acknowledged ID.
func (c *checker) checkAck(s *sent, ack id) {
	places := c.stored[s.entry.key]
	if slices.ContainsFunc(places, func(p place) bool { return p.id == ack }) {
		return
	}
	for _, h := range c.truth[s.room] {
		if h.deleted[ack] || h.orphans[ack] != nil {
			return
		}
	}
	switch {
	case c.mayLose(ack):
	case len(places) > 0:
		c.find(wrongReply, "%s: key %s was acknowledged as %v and is stored as %v", s.author, s.entry.key, ack, places[0].id)
	default:
		c.find(lost, "%s: room %s: acknowledged as %v and not stored: %q", s.author, s.room, ack, s.entry.text)
	}
}

// checkAuthors checks that what was acknowledged before the next send comes before it in
// the room.
func (c *checker) checkAuthors() {
	type line struct{ author, room string }
	type reached struct {
		burst            int
		before, all, now id // the latest ID of earlier bursts, of all, of this burst at the first attempt
	}
	lines := make(map[line]*reached)
	for _, s := range c.sent {
		if len(s.acks) == 0 {
			continue
		}
		at := lines[line{s.author, s.room}]
		if at == nil {
			at = &reached{burst: s.burst}
			lines[line{s.author, s.room}] = at
		}
		if at.burst != s.burst {
			at.burst, at.before, at.now = s.burst, at.all, id{}
		}
		stored, once := s.acks[len(s.acks)-1], len(s.attempts) == 1
		if stored.before(at.before) || once && stored.before(at.now) {
			c.find(reordered, "%s: room %s: %q is stored as %v, before something sent earlier", s.author, s.room, s.entry.text, stored)
		}
		at.all = latest(at.all, stored)
		if once {
			at.now = stored
		}
	}
}

// checkPage checks that a fresh read shows what was acknowledged before it.
func (c *checker) checkPage(p *page) {
	h := c.truth.of(p.room, p.asOf.epoch)
	if h == nil || h.byID[p.wanted] == nil || h.deleted[p.wanted] || !h.trimmed.before(p.wanted) || c.mayBeOrphan(p.wanted) {
		return
	}
	if p.older && len(p.ids) > 0 && p.wanted.before(p.ids[0]) {
		return // more messages than a page came after it
	}
	if !slices.Contains(p.ids, p.wanted) {
		c.find(stale, "room %s: %v was acknowledged, and a read as of %v does not show it", p.room, p.wanted, p.asOf)
	}
}
