package streams

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"
)

// SignalKind is what a signal says.
type SignalKind string

// The kinds of signals.
const (
	Typing SignalKind = "typing" // User writes
	Came   SignalKind = "came"   // User is here now
	Left   SignalKind = "left"   // User no longer is
	Seen   SignalKind = "read"   // User has read up to ID; for User alone
	Count  SignalKind = "count"  // so many people are here, where they are not named
)

// Signal is what happens in a room and need not be kept: it reaches the readers
// of the moment, and may be missed. It travels in the activity stream, which
// every server reads anyway, so that it costs no read of its own.
type Signal struct {
	Kind  SignalKind
	User  User
	ID    ID  // Seen only
	Count int // Count only

	once    sync.Once
	encoded []byte
}

// Encoded returns what encode makes of the signal, called once whoever asks.
func (s *Signal) Encoded(encode func(*Signal) []byte) []byte {
	s.once.Do(func() { s.encoded = encode(s) })
	return s.encoded
}

// storedSignal is a signal in the activity stream; presence.lua writes it too.
type storedSignal struct {
	Kind  SignalKind `json:"kind"`
	UID   string     `json:"uid,omitempty"`
	Name  string     `json:"name,omitempty"`
	ID    string     `json:"id,omitempty"`
	Count int        `json:"count,omitempty"`
}

func parseSignal(text string) (*Signal, error) {
	var stored storedSignal
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("read a signal: %w", err)
	}
	signal := &Signal{Kind: stored.Kind, User: User{stored.UID, stored.Name}, Count: stored.Count}
	signal.ID, _ = ParseID(stored.ID)
	return signal, nil
}

// Signal tells the room's readers, on every server, something of the user.
func (a Access) Signal(ctx context.Context, room string, kind SignalKind) error {
	granted, err := a.admit(room, writing)
	if err != nil {
		return err
	}
	return a.store.signal(ctx, granted, storedSignal{Kind: kind})
}

func (s *Store) signal(ctx context.Context, to grant, signal storedSignal) error {
	room := to.room
	signal.UID, signal.Name = to.user.ID, to.user.Name
	encoded, err := json.Marshal(signal)
	if err != nil {
		return fmt.Errorf("signal in room %q: %w", room, err)
	}
	err = s.redis.Retrying.XAdd(ctx, &redis.XAddArgs{
		Stream: s.keys.activity(bucketOf(room)), MaxLen: activityKept, Approx: true,
		Values: []any{"room", room, "signal", encoded},
	}).Err()
	if err != nil {
		return fmt.Errorf("signal in room %q: %w", room, wrap(err))
	}
	return nil
}

// signalsKept is how many signals a room keeps for readers that are busy.
const signalsKept = 100

// pass hands what an activity stream says of a room to the room's readers here.
func (s *Store) pass(room, said string) {
	w := s.window(room)
	if w == nil {
		return
	}
	signal, err := parseSignal(said)
	if err != nil {
		s.log.Warn("a signal cannot be read", "room", room, "error", err)
		return
	}
	w.mu.Lock()
	if len(w.signals) == signalsKept {
		w.signals = append(w.signals[:0:0], w.signals[1:]...)
	}
	w.signals = append(w.signals, signal)
	w.said.Add(1)
	w.mu.Unlock()
	w.wake()
}

// signalsFor is what was signalled since the reader asked last.
func (w *window) signalsFor(reader *Reader) []*Signal {
	if w.said.Load() == reader.heard {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	said := w.said.Load()
	missed := min(said-reader.heard, uint64(len(w.signals)))
	reader.heard = said
	return w.signals[uint64(len(w.signals))-missed:]
}
