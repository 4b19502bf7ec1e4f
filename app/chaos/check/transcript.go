package check

import (
	"fmt"
	"sync"
	"time"
)

// Entry is one event of a room, as a client read it or as Redis has it.
type Entry struct {
	ID                    ID
	N                     int64
	Kind, Key, User, Text string
	Of                    ID // of react and delete
}

// Transcript is everything that one client received about one room, in order.
type Transcript struct {
	Client, Room string
	Leaves       bool // the client does not wait for the end
	Events       []Event
}

// Add adds an event.
func (t *Transcript) Add(e Event) { t.Events = append(t.Events, e) }

// Event is an event of a transcript. Which fields are set depends on its kind.
type Event struct {
	At   time.Time
	Kind EventKind

	Place Cursor // requested: the cursor, unless fresh; followed: where reading begins
	Fresh bool   // requested: the newest entries
	State string // followed: fresh, resumed, truncated or reset

	After, Upto Cursor // batch
	Entries     []*Entry
}

// EventKind is the type of an event.
type EventKind byte

// The kinds of events.
const (
	Requested EventKind = iota // the client connected and asked to follow
	Followed                   // the server answered, or declared a gap
	Batch                      // the server sent entries
)

// String describes the event in one line.
func (e *Event) String() string {
	at := e.At.Format("04:05.000")
	switch e.Kind {
	case Requested:
		return fmt.Sprintf("%s requested %v, fresh: %v", at, e.Place, e.Fresh)
	case Followed:
		return fmt.Sprintf("%s followed, %s at %v", at, e.State, e.Place)
	}
	return fmt.Sprintf("%s batch of %d entries in (%v, %v]", at, len(e.Entries), e.After, e.Upto)
}

// Sent is one append that an author wants stored.
type Sent struct {
	Author, Room string
	Entry        Entry // without its id
	Burst        int   // what an author sends without waiting has the same number
	First        time.Time
	Attempts     []Attempt
	Acks         []ID // of each stored that answered it
	Acked        time.Time
	Abandoned    bool   // the author stopped retrying while the outcome was unknown
	Refused      string // code of a final error
}

// Attempt is one send. answered stays zero if the connection ended first.
type Attempt struct {
	At, Answered time.Time
	Unknown      bool // the answer was that the outcome is unknown
}

// IsUncertain reports whether the outcome was unknown at some time.
func (s *Sent) IsUncertain() bool {
	for _, attempt := range s.Attempts {
		if attempt.Answered.IsZero() || attempt.Unknown {
			return true
		}
	}
	return s.Abandoned
}

// Page is the result of a fresh read after a message was acknowledged.
type Page struct {
	Room   string
	Wanted ID        // of the message
	At     time.Time // of the request
	AsOf   Cursor
	Older  bool // there are entries before the page
	IDs    []ID
}

// Pool keeps one copy of equal entries, so that a hundred transcripts of a long run fit
// into memory.
type Pool struct {
	mu      sync.Mutex
	entries map[Entry]*Entry
}

// Intern returns the pool's copy of an entry.
func (p *Pool) Intern(e Entry) *Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries == nil {
		p.entries = make(map[Entry]*Entry)
	}
	found := p.entries[e]
	if found == nil {
		found = &e
		p.entries[e] = found
	}
	return found
}
