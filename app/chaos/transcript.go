package chaos

import (
	"fmt"
	"sync"
	"time"
)

// entry is one event of a room, as a client read it or as Redis has it.
type entry struct {
	id                    id
	n                     int64
	kind, key, user, text string
	of                    id // of react and delete
}

// transcript is all that one client was told about one room, in order.
type transcript struct {
	client, room string
	leaves       bool // the client does not wait for the end
	events       []event
}

func (t *transcript) add(e event) { t.events = append(t.events, e) }

// event is an event of a transcript. Which fields are set depends on its kind.
type event struct {
	at   time.Time
	kind eventKind

	place cursor // requested: the cursor, unless fresh; followed: where reading begins
	fresh bool   // requested: the newest entries
	state string // followed: fresh, resumed, truncated or reset

	after, upto cursor // batch
	entries     []*entry
}

type eventKind byte

const (
	requested eventKind = iota // the client connected and asked to follow
	followed                   // the server answered, or declared a gap
	batch                      // the server sent entries
)

func (e *event) String() string {
	at := e.at.Format("04:05.000")
	switch e.kind {
	case requested:
		return fmt.Sprintf("%s requested %v, fresh: %v", at, e.place, e.fresh)
	case followed:
		return fmt.Sprintf("%s followed, %s at %v", at, e.state, e.place)
	}
	return fmt.Sprintf("%s batch of %d entries in (%v, %v]", at, len(e.entries), e.after, e.upto)
}

// sent is one append that an author wants stored.
type sent struct {
	author, room string
	entry        entry // without its id
	burst        int   // what an author sends without waiting has the same number
	first        time.Time
	attempts     []attempt
	acks         []id // of each stored that answered it
	acked        time.Time
	abandoned    bool   // the author stopped retrying while the outcome was unknown
	refused      string // code of a final error
}

// attempt is one send. answered stays zero if the connection ended first.
type attempt struct {
	at, answered time.Time
	unknown      bool // the answer was that the outcome is unknown
}

// isUncertain reports whether the outcome was unknown at some time.
func (s *sent) isUncertain() bool {
	for _, attempt := range s.attempts {
		if attempt.answered.IsZero() || attempt.unknown {
			return true
		}
	}
	return s.abandoned
}

// page is what a fresh read showed after a message was acknowledged.
type page struct {
	room   string
	wanted id        // of the message
	at     time.Time // of the request
	asOf   cursor
	older  bool // there are entries before the page
	ids    []id
}

// pool keeps one copy of equal entries, so that a hundred transcripts of a long run fit
// into memory.
type pool struct {
	mu      sync.Mutex
	entries map[entry]*entry
}

func (p *pool) intern(e entry) *entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries == nil {
		p.entries = make(map[entry]*entry)
	}
	found := p.entries[e]
	if found == nil {
		found = &e
		p.entries[e] = found
	}
	return found
}
