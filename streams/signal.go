package streams

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// SignalKind is the type of a signal.
type SignalKind string

// The kinds of signals.
const (
	Typing     SignalKind = "typing" // User is typing
	Came       SignalKind = "came"   // User is present now, or has a new name
	Left       SignalKind = "left"   // User is no longer present
	MarkedRead SignalKind = "read"   // User has read the room up to ID; only User's own devices need it
	Count      SignalKind = "count"  // Count people are present, more than MaxNamed
)

// Signal is an event in a room that is not stored. Only readers that are following the room at the time
// receive it, and even they may miss it. It is sent through the activity stream, which every server
// reads anyway.
type Signal struct {
	Kind  SignalKind
	User  User
	ID    ID  // MarkedRead only
	Count int // Count only

	once    sync.Once
	encoded []byte
}

// Encoded returns the result of the first caller's encode. The bytes are shared and must not be
// modified.
func (s *Signal) Encoded(encode func(*Signal) []byte) []byte {
	s.once.Do(func() { s.encoded = encode(s) })
	return s.encoded
}

// storedSignal is a signal as JSON in the activity stream. presence.lua writes the same JSON.
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
		return nil, fmt.Errorf("parse a signal: %w", err)
	}
	signal := &Signal{Kind: stored.Kind, User: User{stored.UID, stored.Name}, Count: stored.Count}
	signal.ID, _ = ParseID(stored.ID)
	return signal, nil
}

// Signal sends a signal of the given kind from the user to the room's readers on all servers.
func (a Access) Signal(ctx context.Context, room string, kind SignalKind) error {
	granted, err := a.admit(room, writing)
	if err != nil {
		return err
	}
	return a.store.signal(ctx, granted, storedSignal{Kind: kind})
}

func (s *Store) signal(ctx context.Context, granted grant, signal storedSignal) error {
	room := granted.room
	signal.UID, signal.Name = granted.user.ID, granted.user.Name
	encoded, err := json.Marshal(signal)
	if err != nil {
		return fmt.Errorf("send a signal in room %q: %w", room, err)
	}
	if granted.ifMember {
		return s.signalMembers(ctx, granted, encoded)
	}
	_, err = conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.StringCmd {
		return pipe.XAdd(ctx, &redis.XAddArgs{
			Stream: s.keys.activity(bucketOf(room)), MaxLen: activityLength, Approx: true,
			Values: []any{"room", room, "signal", encoded},
		})
	})
	if err != nil {
		return fmt.Errorf("send a signal in room %q: %w", room, wrap(err))
	}
	return nil
}

// signalMembers sends a signal in a hidden room. It returns ErrHidden if the user is not a member.
func (s *Store) signalMembers(ctx context.Context, granted grant, encoded []byte) error {
	call := conns.Call{
		Script: signalScript, Weight: 1, Args: []any{granted.room, granted.user.ID, encoded},
		Keys: []string{s.keys.activity(bucketOf(granted.room)), s.keys.members(granted.room)},
	}
	switch sent, err := s.redis.RunScript(ctx, call).Bool(); {
	case err != nil:
		return fmt.Errorf("send a signal in room %q: %w", granted.room, wrap(err))
	case !sent:
		return ErrHidden
	}
	return nil
}

// maxSignals is how many signals a window keeps for slow readers.
const maxSignals = 100

// deliver adds a signal from the activity stream to the room's window, and wakes the readers.
func (s *Store) deliver(room, encoded string) {
	w := s.window(room)
	if w == nil {
		return
	}
	signal, err := parseSignal(encoded)
	if err != nil {
		s.log.Warn("dropped an unreadable signal", "room", room, "error", err)
		return
	}
	w.mu.Lock()
	if len(w.signals) == maxSignals {
		w.signals = append(w.signals[:0:0], w.signals[1:]...)
	}
	w.signals = append(w.signals, signal)
	w.signalCount.Add(1)
	if signal.Kind == Came || signal.Kind == Left || signal.Kind == Count {
		w.presenceSignals.Add(1)
	}
	w.mu.Unlock()
	w.wake()
}

// signalsFor returns the signals that the reader has not read yet.
func (w *window) signalsFor(reader *Reader) []*Signal {
	if w.signalCount.Load() == reader.signalsRead {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	count := w.signalCount.Load()
	unread := min(count-reader.signalsRead, uint64(len(w.signals)))
	reader.signalsRead = count
	return w.signals[uint64(len(w.signals))-unread:]
}
