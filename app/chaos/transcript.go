package chaos

import (
	"fmt"
	"sync"
	"time"
)

// entry is one event of a room, as a client was told it or as Redis holds it.
type entry struct {
	id                    id
	n                     int64
	kind, key, user, text string
	of                    id // react, delete
}

// transcript is all that one client was told of one room, in order.
type transcript struct {
	client, room string
	leaves       bool // it does not wait for the end
	events       []event
}

type event struct {
	at   time.Time
	what what

	place cursor // asked: the cursor, unless fresh; told: where the reading begins
	fresh bool   // asked: for the newest
	state string // told: fresh, resumed, truncated, reset

	after, upto cursor // read
	entries     []*entry
}

func (e *event) String() string {
	at := e.at.Format("04:05.000")
	switch e.what {
	case asked:
		return fmt.Sprintf("%s asked for %v, fresh: %v", at, e.place, e.fresh)
	case told:
		return fmt.Sprintf("%s told %s at %v", at, e.state, e.place)
	}
	return fmt.Sprintf("%s told %d entries in (%v, %v]", at, len(e.entries), e.after, e.upto)
}

// what is what happened to a transcript.
type what byte

const (
	asked what = iota // the client came (back) to the room
	told              // followed
	read              // entries
)

// sent is one thing that an author wanted stored.
type sent struct {
	author, room string
	entry        entry // its id is not set
	burst        int   // what an author sends at once, without waiting, is one burst
	first        time.Time
	attempts     []attempt
	acks         []id // as often as stored was told
	acked        time.Time
	gaveUp       bool   // uncertain, and never asked again
	refused      string // the code of an error that repeating does not mend
}

// attempt is one try. answered stays zero when the connection ended first.
type attempt struct {
	at, answered time.Time
	unsure       bool // the answer was that nobody knows
}

func (s *sent) uncertain() bool {
	for _, tried := range s.attempts {
		if tried.answered.IsZero() || tried.unsure {
			return true
		}
	}
	return s.gaveUp
}

// page is what a fresh read showed after a message was acknowledged.
type page struct {
	room   string
	wanted id
	at     time.Time // asked
	asOf   cursor
	older  bool // there is more before the first
	ids    []id
}

// pool makes equal entries one, so that a hundred transcripts of a long run fit into memory.
type pool struct {
	mu      sync.Mutex
	entries map[entry]*entry
}

func (p *pool) one(e entry) *entry {
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
