package check

import (
	"fmt"
	"sync"
	"time"
)

// Entry is an entry of a room, as a client received it or as Redis stored it.
type Entry struct {
	ID                    ID
	Number                int64
	Kind, Key, User, Text string
	Target                ID     // target of a reaction or deletion
	Member, Role          string // membership change: the member's user ID, and their new role
	Files                 string // "<ID> <alt>" of each file, separated by commas
}

// Transcript is everything that one client requested and received from one room, in order.
type Transcript struct {
	Client, Room string
	Partial      bool   // the client left before the end of the phase
	Account      string // user ID of a client that may read a hidden room only while it is a member; else ""
	Events       []Event
}

// Add adds an event.
func (t *Transcript) Add(e Event) { t.Events = append(t.Events, e) }

// LastReply returns the last event that is not a request, or nil.
func (t *Transcript) LastReply() *Event {
	for i := len(t.Events) - 1; i >= 0; i-- {
		if t.Events[i].Kind != Requested {
			return &t.Events[i]
		}
	}
	return nil
}

// Event is an event of a transcript. Which fields are set depends on its kind.
type Event struct {
	At   time.Time
	Kind EventKind

	Cursor  Cursor // requested: the cursor, unless fresh; followed: the cursor at which the read starts
	Fresh   bool   // requested: the client requested the newest entries
	Session string // requested: the token of an account
	State   string // followed: fresh, resumed, truncated or reset
	Code    string // closed or refused: the reason

	After, Upto Cursor // batch
	Entries     []*Entry
}

// EventKind is the type of an event.
type EventKind byte

// The kinds of events.
const (
	Requested EventKind = iota // the client connected and requested to follow
	Followed                   // the server sent a followed frame, as a reply or to declare a gap
	Batch                      // the server sent entries
	Closed                     // the server ended the read of the room or, with the code signed_out, of all rooms
	Refused                    // the server refused to follow
)

// String describes the event in one line.
func (e *Event) String() string {
	at := e.At.Format("04:05.000")
	switch e.Kind {
	case Requested:
		return fmt.Sprintf("%s requested %v, fresh: %v", at, e.Cursor, e.Fresh)
	case Followed:
		return fmt.Sprintf("%s followed, %s at %v", at, e.State, e.Cursor)
	case Closed:
		return fmt.Sprintf("%s closed: %s", at, e.Code)
	case Refused:
		return fmt.Sprintf("%s refused: %s", at, e.Code)
	}
	return fmt.Sprintf("%s batch of %d entries in (%v, %v]", at, len(e.Entries), e.After, e.Upto)
}

// SentEntry is one append by an author.
type SentEntry struct {
	Author, Room string
	Entry        Entry // without its ID
	Burst        int   // number of the burst, in which the author sends entries without waiting for replies
	First        time.Time
	Attempts     []Attempt
	Acks         []ID // IDs in the stored frames that confirmed the append
	Acked        time.Time
	Abandoned    bool   // the author stopped retrying, although the outcome was unknown
	Refused      string // code of a final error
}

// Attempt is one send. Replied is zero if the connection ended first.
type Attempt struct {
	At, Replied time.Time
	Unknown     bool // the reply reported that the outcome is unknown
}

// IsUncertain reports whether the outcome was unknown at any time.
func (s *SentEntry) IsUncertain() bool {
	for _, attempt := range s.Attempts {
		if attempt.Replied.IsZero() || attempt.Unknown {
			return true
		}
	}
	return s.Abandoned
}

// Page is the newest page of a room, requested after a message was acknowledged.
type Page struct {
	Room   string
	Wanted ID        // the acknowledged message
	At     time.Time // time of the request
	AsOf   Cursor
	Older  bool // there are older messages
	IDs    []ID
}

// Pool keeps a single copy of each distinct entry. Without it, the transcripts of a long run would not fit
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
