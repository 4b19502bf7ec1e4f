package check

import (
	"fmt"
	"slices"
	"time"
)

// Flaw is a kind of wrong behaviour.
type Flaw string

// The flaws.
const (
	Lost       Flaw = "lost"       // acknowledged and not stored
	Repeated   Flaw = "repeated"   // stored or sent to a client twice
	Reordered  Flaw = "reordered"  // out of the order of the stream, or of its author
	Gap        Flaw = "silent gap" // an entry was left out, and no gap was declared
	Invented   Flaw = "invented"   // no client sent it, or it is in no history
	Forked     Flaw = "forked"     // two different entries have the same ID
	Leaked     Flaw = "leaked"     // from another room
	Misplaced  Flaw = "misplaced"  // reading begins or ends at the wrong place
	Undue      Flaw = "undue gap"  // a gap was declared where there is none
	WrongReply Flaw = "wrong reply"
	Stale      Flaw = "stale" // a fresh read lacks a message that was acknowledged before it
	Late       Flaw = "late"
	Behind     Flaw = "behind"  // a client had not received everything at the end
	Unclean    Flaw = "unclean" // a crash, or goroutines, connections or memory that were not released
)

// Finding is one occurrence of a flaw.
type Finding struct {
	Flaw Flaw
	Text string
}

// Evidence holds the records of a phase that the checker works on.
type Evidence struct {
	Truth       Truth
	Transcripts []*Transcript
	Sent        []*Sent
	Pages       []*Page
	Findings    []Finding // flaws that clients detected themselves

	// MayBeOrphan reports whether an entry of that time may have been read and lost
	// again, because two primaries were possible; MayLose, whether it may even have been
	// acknowledged.
	MayBeOrphan, MayLose func(ID) bool
}

// AnswerLimit is how long a send may wait for its answer on a working connection.
const AnswerLimit = 20 * time.Second

// Checker compares what clients received with what Redis held. Its Findings are all flaws.
type Checker struct {
	Evidence
	byKey    map[string]*Sent
	stored   map[string][]place // by key
	versions map[string]*Entry  // orphans as some client read them, by room and ID
	Declared int                // gaps that were declared to clients
}

// place is where a key is stored.
type place struct {
	history *History
	id      ID
}

// Run checks the evidence and returns the checker with its findings.
func Run(e Evidence) *Checker {
	c := &Checker{
		Evidence: e, byKey: make(map[string]*Sent), stored: make(map[string][]place), versions: make(map[string]*Entry),
	}
	for _, s := range e.Sent {
		c.byKey[s.Entry.Key] = s
	}
	for room, histories := range e.Truth {
		for epoch, h := range histories {
			c.checkHistory(room, epoch, h)
		}
	}
	for _, s := range e.Sent {
		c.checkSent(s)
	}
	c.checkAuthors()
	for _, t := range e.Transcripts {
		(&chain{Checker: c, Transcript: t}).check()
	}
	for _, p := range e.Pages {
		c.checkPage(p)
	}
	return c
}

func (c *Checker) find(flaw Flaw, format string, args ...any) {
	c.Findings = append(c.Findings, Finding{flaw, fmt.Sprintf(format, args...)})
}

// Count returns how many findings are of the flaw.
func (c *Checker) Count(flaw Flaw) (count int) {
	for _, finding := range c.Findings {
		if finding.Flaw == flaw {
			count++
		}
	}
	return count
}

// checkHistory checks that each number and each key occurs once, and that every entry was
// sent.
func (c *Checker) checkHistory(room, epoch string, h *History) {
	numbers := make(map[int64]bool)
	keys := make(map[string]bool)
	most := int64(0)
	for i, e := range h.entries {
		if i > 0 && e.N <= h.entries[i-1].N {
			c.find(Reordered, "room %s@%s: entry %v has number %d after %d", room, epoch, e.ID, e.N, h.entries[i-1].N)
		}
		if keys[e.Key] {
			c.find(Repeated, "room %s@%s: key %s is stored twice", room, epoch, e.Key)
		}
		keys[e.Key], numbers[e.N], most = true, true, max(most, e.N)
		c.stored[e.Key] = append(c.stored[e.Key], place{h, e.ID})
		c.checkStored(room, e)
	}
	missing := most - int64(len(numbers))
	for deleted := range h.Deleted {
		if h.ByID[deleted] == nil {
			missing--
		}
	}
	if missing != 0 {
		c.find(Gap, "room %s@%s: %d of %d numbers are missing", room, epoch, missing, most)
	}
}

// checkStored checks that a stored entry is what its author sent to this room.
func (c *Checker) checkStored(room string, e *Entry) {
	s := c.byKey[e.Key]
	switch {
	case s == nil:
		c.find(Invented, "room %s: no client sent the entry stored as %v: %q", room, e.ID, e.Text)
	case s.Room != room:
		c.find(Leaked, "room %s: an entry for room %s is stored as %v", room, s.Room, e.ID)
	case s.Entry.Kind != e.Kind || s.Entry.Text != e.Text || s.Entry.User != e.User || s.Entry.Of != e.Of:
		c.find(Forked, "room %s: %v is stored as %+v, sent as %+v", room, e.ID, *e, s.Entry)
	}
}

// checkSent checks the answers to a send.
func (c *Checker) checkSent(s *Sent) {
	for _, ack := range s.Acks {
		c.checkAck(s, ack)
	}
	if len(s.Acks) == 0 && !s.Abandoned && s.Refused == "" {
		c.find(Behind, "%s: a send to %s was never answered", s.Author, s.Room)
	}
	if s.Refused != "" {
		c.find(WrongReply, "%s: a send to %s was refused: %s", s.Author, s.Room, s.Refused)
	}
	for _, attempt := range s.Attempts {
		if took := attempt.Answered.Sub(attempt.At); took > AnswerLimit {
			c.find(Late, "%s: a send to %s was answered after %v", s.Author, s.Room, took)
		}
	}
}

// checkAck checks that an acknowledged entry is stored, under the acknowledged ID.
func (c *Checker) checkAck(s *Sent, ack ID) {
	places := c.stored[s.Entry.Key]
	if slices.ContainsFunc(places, func(p place) bool { return p.id == ack }) {
		return
	}
	for _, h := range c.Truth[s.Room] {
		if h.Deleted[ack] || h.Orphans[ack] != nil {
			return
		}
	}
	switch {
	case c.MayLose(ack):
	case len(places) > 0:
		c.find(WrongReply, "%s: key %s was acknowledged as %v and is stored as %v", s.Author, s.Entry.Key, ack, places[0].id)
	default:
		c.find(Lost, "%s: room %s: acknowledged as %v and not stored: %q", s.Author, s.Room, ack, s.Entry.Text)
	}
}

// checkAuthors checks that what was acknowledged before the next send comes before it in
// the room.
func (c *Checker) checkAuthors() {
	type line struct{ author, room string }
	type reached struct {
		burst            int
		before, all, now ID // the latest ID of earlier bursts, of all, of this burst at the first attempt
	}
	lines := make(map[line]*reached)
	for _, s := range c.Sent {
		if len(s.Acks) == 0 {
			continue
		}
		at := lines[line{s.Author, s.Room}]
		if at == nil {
			at = &reached{burst: s.Burst}
			lines[line{s.Author, s.Room}] = at
		}
		if at.burst != s.Burst {
			at.burst, at.before, at.now = s.Burst, at.all, ID{}
		}
		stored, once := s.Acks[len(s.Acks)-1], len(s.Attempts) == 1
		if stored.Before(at.before) || once && stored.Before(at.now) {
			c.find(Reordered, "%s: room %s: %q is stored as %v, before something sent earlier", s.Author, s.Room, s.Entry.Text, stored)
		}
		at.all = latest(at.all, stored)
		if once {
			at.now = stored
		}
	}
}

// checkPage checks that a fresh read shows what was acknowledged before it.
func (c *Checker) checkPage(p *Page) {
	h := c.Truth.Of(p.Room, p.AsOf.Epoch)
	if h == nil || h.ByID[p.Wanted] == nil || h.Deleted[p.Wanted] || !h.Trimmed.Before(p.Wanted) || c.MayBeOrphan(p.Wanted) {
		return
	}
	if p.Older && len(p.IDs) > 0 && p.Wanted.Before(p.IDs[0]) {
		return // more messages than a page came after it
	}
	if !slices.Contains(p.IDs, p.Wanted) {
		c.find(Stale, "room %s: %v was acknowledged, and a read as of %v does not show it", p.Room, p.Wanted, p.AsOf)
	}
}
