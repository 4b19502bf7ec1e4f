package check

import (
	"fmt"
	"slices"
	"time"
)

// Flaw is a kind of wrong behavior.
type Flaw string

// The kinds of flaws.
const (
	Lost            Flaw = "lost"           // acknowledged, but not stored
	Repeated        Flaw = "repeated"       // stored or sent to a client twice
	Reordered       Flaw = "reordered"      // not in the order of the stream, or of the author
	SilentGap       Flaw = "silent gap"     // an entry is missing, but the server declared no gap
	Invented        Flaw = "invented"       // no client sent the entry, or no history has it
	Conflict        Flaw = "conflict"       // different entries have the same ID
	Leaked          Flaw = "leaked"         // the entry is from another room
	WrongPosition   Flaw = "wrong position" // a read starts or ends at the wrong cursor
	FalseGap        Flaw = "false gap"      // the server declared a gap where there is none
	WrongReply      Flaw = "wrong reply"
	Stale           Flaw = "stale" // a fresh read lacks a message that was acknowledged before it
	LateReply       Flaw = "late reply"
	Incomplete      Flaw = "incomplete"       // a client had not received everything at the end
	UncleanShutdown Flaw = "unclean shutdown" // a server did not drain in time, or exited with an error
	Trespass        Flaw = "trespass"         // the client was not a member
	WrongEnd        Flaw = "wrong end"        // the read of a removed member did not end with the removal
	LateEnd         Flaw = "late end"         // the client kept reading after its session had ended
)

// Finding is one occurrence of a flaw.
type Finding struct {
	Flaw Flaw
	Text string
}

// Evidence holds the records of the harness and the clients during a phase.
type Evidence struct {
	Truth       Truth
	Transcripts []*Transcript
	Sent        []*SentEntry
	Pages       []*Page
	Findings    []Finding             // flaws that clients detected themselves
	Ends        map[string]SessionEnd // by token

	// MayBeOrphan reports whether clients may have read the entry although it was lost
	// later, because there may have been two primaries when it was stored. MayLose reports
	// whether it may even have been acknowledged.
	MayBeOrphan, MayLose func(ID) bool
}

// ReplyLimit is the maximum time for a reply to a send on a working connection.
const ReplyLimit = 20 * time.Second

// Checker compares what clients received with what Redis stored. Its Findings include those of
// the clients.
type Checker struct {
	Evidence
	byKey    map[string]*SentEntry
	stored   map[string][]storedAt // by key
	versions map[string]*Entry     // orphans that a client has read, by room and ID
	files    map[string]string     // key of the entry that has a file, by the file's ID
	Declared int                   // number of gaps that servers declared to clients
}

// storedAt is where an entry with a key is stored.
type storedAt struct {
	history *History
	id      ID
}

// Run checks the evidence and returns the checker with its findings.
func Run(e Evidence) *Checker {
	c := &Checker{
		Evidence: e, byKey: make(map[string]*SentEntry), stored: make(map[string][]storedAt), versions: make(map[string]*Entry),
		files: make(map[string]string),
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

func (c *Checker) addFinding(flaw Flaw, format string, args ...any) {
	c.Findings = append(c.Findings, Finding{flaw, fmt.Sprintf(format, args...)})
}

// Count returns the number of findings of the flaw.
func (c *Checker) Count(flaw Flaw) (count int) {
	for _, finding := range c.Findings {
		if finding.Flaw == flaw {
			count++
		}
	}
	return count
}

// checkHistory checks that the history has each number and key exactly once, and only entries that a
// client sent.
func (c *Checker) checkHistory(room, epoch string, h *History) {
	numbers := make(map[int64]bool)
	keys := make(map[string]bool)
	highest := int64(0)
	for i, e := range h.entries {
		if i > 0 && e.Number <= h.entries[i-1].Number {
			c.addFinding(Reordered, "room %s@%s: entry %v has number %d after %d", room, epoch, e.ID, e.Number, h.entries[i-1].Number)
		}
		if e.Key == "" && (e.Kind == "member" || e.Kind == "room") { // the server appended it with the room
			numbers[e.Number], highest = true, max(highest, e.Number)
			continue
		}
		if keys[e.Key] {
			c.addFinding(Repeated, "room %s@%s: key %s is stored twice", room, epoch, e.Key)
		}
		keys[e.Key], numbers[e.Number], highest = true, true, max(highest, e.Number)
		c.stored[e.Key] = append(c.stored[e.Key], storedAt{h, e.ID})
		c.checkStored(room, e)
		c.checkFiles(room, e)
	}
	missing := highest - int64(len(numbers))
	for deleted := range h.Deleted {
		if h.ByID[deleted] == nil {
			missing--
		}
	}
	if missing != 0 {
		c.addFinding(SilentGap, "room %s@%s: %d of %d numbers are missing", room, epoch, missing, highest)
	}
}

// checkStored checks that the author sent this entry to this room.
func (c *Checker) checkStored(room string, e *Entry) {
	s := c.byKey[e.Key]
	switch {
	case s == nil && e.Kind == "room": // appended when the room was created
	case s == nil:
		c.addFinding(Invented, "room %s: no client sent the entry stored as %v: %q", room, e.ID, e.Text)
	case s.Room != room:
		c.addFinding(Leaked, "room %s: an entry sent to room %s is stored as %v", room, s.Room, e.ID)
	case s.Entry.Kind != e.Kind || s.Entry.Text != e.Text || s.Entry.User != e.User || s.Entry.Target != e.Target || s.Entry.Member != e.Member || s.Entry.Role != e.Role || s.Entry.Files != e.Files:
		c.addFinding(Conflict, "room %s: %v is stored as %+v, but was sent as %+v", room, e.ID, *e, s.Entry)
	}
}

// checkFiles checks that no other entry has the files of a stored entry.
func (c *Checker) checkFiles(room string, e *Entry) {
	for _, file := range e.Attachments() {
		if other, isKnown := c.files[file.ID]; isKnown && other != e.Key {
			c.addFinding(Repeated, "room %s: %v has the file %s, which another entry has", room, e.ID, file.ID)
		}
		c.files[file.ID] = e.Key
	}
}

// checkSent checks the replies to a send.
func (c *Checker) checkSent(s *SentEntry) {
	for _, ack := range s.Acks {
		c.checkAck(s, ack)
	}
	if len(s.Acks) == 0 && !s.Abandoned && s.Refused == "" {
		c.addFinding(Incomplete, "%s: a send to %s never got a reply", s.Author, s.Room)
	}
	if s.Refused != "" {
		c.addFinding(WrongReply, "%s: a send to %s was refused: %s", s.Author, s.Room, s.Refused)
	}
	for _, attempt := range s.Attempts {
		if took := attempt.Replied.Sub(attempt.At); took > ReplyLimit {
			c.addFinding(LateReply, "%s: the reply to a send to %s took %v", s.Author, s.Room, took)
		}
	}
}

// checkAck checks that an acknowledged entry is stored under the acknowledged ID.
func (c *Checker) checkAck(s *SentEntry, ack ID) {
	places := c.stored[s.Entry.Key]
	if slices.ContainsFunc(places, func(p storedAt) bool { return p.id == ack }) {
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
		c.addFinding(WrongReply, "%s: key %s was acknowledged as %v, but is stored as %v", s.Author, s.Entry.Key, ack, places[0].id)
	default:
		c.addFinding(Lost, "%s: room %s: acknowledged as %v, but not stored: %q", s.Author, s.Room, ack, s.Entry.Text)
	}
}

// checkAuthors checks that an author's entries are in order: an entry acknowledged before the author
// sent the next one must come before it in the room.
func (c *Checker) checkAuthors() {
	type line struct{ author, room string }
	type reached struct {
		burst  int
		before ID // the highest ID in earlier bursts
		all    ID // the highest ID so far
		now    ID // the last ID in this burst that was stored at the first attempt
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
			c.addFinding(Reordered, "%s: room %s: %q is stored as %v, before an entry that was sent earlier", s.Author, s.Room, s.Entry.Text, stored)
		}
		at.all = latest(at.all, stored)
		if once {
			at.now = stored
		}
	}
}

// checkPage checks that a page shows the message that was acknowledged before the request.
func (c *Checker) checkPage(p *Page) {
	h := c.Truth.Lookup(p.Room, p.AsOf.Epoch)
	if h == nil || h.ByID[p.Wanted] == nil || h.Deleted[p.Wanted] || !h.Trimmed.Before(p.Wanted) || c.MayBeOrphan(p.Wanted) {
		return
	}
	if p.Older && len(p.IDs) > 0 && p.Wanted.Before(p.IDs[0]) {
		return // the message is on an older page
	}
	if !slices.Contains(p.IDs, p.Wanted) {
		c.addFinding(Stale, "room %s: %v was acknowledged, but a page as of %v does not show it", p.Room, p.Wanted, p.AsOf)
	}
}
