package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"burble/app/identity"
	"burble/app/limit"
	"burble/app/protocol"
	"burble/streams"
)

// callTimeout bounds one append, the store's own retries included, and each other write.
const callTimeout = 8 * time.Second

// Options configure a Service.
type Options struct {
	Log *slog.Logger
	// MessageRate is how many messages, and how many signals, a user may send a second; four
	// times as many at once. 0: no limit.
	MessageRate float64
	// EncodePresent returns the frame that tells a listener who is in a room. One frame is
	// shared by all listeners.
	EncodePresent func(room string, count int, people []streams.User) []byte
}

// Service is the chat as users may use it. New makes it, Run drives it.
type Service struct {
	store    *streams.Store
	presence *presence

	messages, signals *limit.Rate // by user
	searches          searchQuotas

	appended, refusedFull, refusedUnavailable atomic.Int64

	ctx  context.Context // of writes and searches; ends with Run
	stop context.CancelFunc
}

// New returns a Service over a store that runs, and keeps running until Run has returned.
func New(store *streams.Store, options Options) *Service {
	burst := int(4 * options.MessageRate)
	s := &Service{
		store:    store,
		presence: newPresence(store, options),
		messages: limit.NewRate(options.MessageRate, burst),
		signals:  limit.NewRate(options.MessageRate, burst),
		searches: newSearchQuotas(),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Run keeps Redis up to date about who is in which room, until ctx ends. Calls fail
// afterwards.
func (s *Service) Run(ctx context.Context) error {
	s.presence.run(ctx)
	s.stop()
	return nil
}

// as returns the store as the user sees it. It is the only way from here to a room.
func (s *Service) as(user identity.User) streams.Access { return s.store.As(streams.User(user)) }

// Append stores an entry by the user, within a bounded time. It does not take the caller's
// context: an append is finished even if the client that asked for it has left.
func (s *Service) Append(user identity.User, room string, entry streams.Entry) (streams.Stored, error) {
	if err := allow(s.messages, user, "messages"); err != nil {
		return streams.Stored{}, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	stored, err := s.as(user).Append(ctx, room, entry)
	s.count(stored, err)
	if errors.Is(err, streams.ErrNotFound) && entry.Kind == streams.Message {
		return stored, protocol.Errorf(protocol.NotFound, "reply_to", "There is no message %v in this room to reply to.", entry.ReplyTo)
	}
	if err != nil {
		return stored, fmt.Errorf("append %s: %w", entry.Kind, err)
	}
	return stored, nil
}

// count updates the metrics of appends.
func (s *Service) count(stored streams.Stored, err error) {
	switch {
	case errors.Is(err, streams.ErrFull):
		s.refusedFull.Add(1)
	case errors.Is(err, streams.ErrUnavailable):
		s.refusedUnavailable.Add(1)
	case err == nil && !stored.Repeated:
		s.appended.Add(1)
	}
}

// AllowSignal counts one signal of the user, typing or seen, or refuses it.
func (s *Service) AllowSignal(user identity.User) error { return allow(s.signals, user, "signals") }

// Typing signals that the user is typing in the room. Call AllowSignal first.
func (s *Service) Typing(user identity.User, room string) error {
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	return s.as(user).Signal(ctx, room, streams.Typing)
}

// MarkRead moves the user's read marker in the room, for all the user's devices. Call
// AllowSignal first.
func (s *Service) MarkRead(user identity.User, room string, id streams.ID) error {
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	return s.as(user).MarkRead(ctx, room, id)
}

// allow counts one event of the user, or returns why it is refused.
func allow(rate *limit.Rate, user identity.User, what string) error {
	if user.IsZero() {
		return protocol.NoName()
	}
	if ok, after := rate.Allow(user.ID, 1, time.Now()); !ok {
		return protocol.TooMany(what, after)
	}
	return nil
}

// Follow returns a reader of the room from a place on. The caller closes it. See
// streams.Access.Follow.
func (s *Service) Follow(user identity.User, room string, from streams.From, ready func(*streams.Reader)) (*streams.Reader, error) {
	return s.as(user).Follow(room, from, ready)
}

// Page returns a page of the room's history.
func (s *Service) Page(ctx context.Context, user identity.User, room string, where streams.Where) (streams.Page, error) {
	return s.as(user).Page(ctx, room, where)
}

// Rooms returns up to limit rooms, the most recently active first.
func (s *Service) Rooms(ctx context.Context, user identity.User, limit int) ([]streams.Room, error) {
	return s.as(user).Rooms(ctx, limit)
}

// Topic returns the room's topic, "" if it has none.
func (s *Service) Topic(ctx context.Context, user identity.User, room string) (string, error) {
	return s.as(user).Topic(ctx, room)
}

// ReadUpTo returns the user's read marker in the room, the zero ID if there is none.
func (s *Service) ReadUpTo(ctx context.Context, user identity.User, room string) (streams.ID, error) {
	return s.as(user).ReadUpTo(ctx, room)
}

// Join counts a connection of the user into the room, and notifies the listener of who is
// there. A visitor without a name is not counted, only notified.
func (s *Service) Join(user identity.User, room string, listener Listener) {
	s.presence.join(room, user, listener)
}

// Leave counts out a connection that was counted in.
func (s *Service) Leave(user identity.User, room string) { s.presence.leave(room, user, time.Now()) }

// Health returns nil if Redis stores messages and has room for more, else the store's error.
func (s *Service) Health(ctx context.Context) error { return s.store.Health(ctx) }

// RedisAway reports whether Redis did not answer when it was last asked.
func (s *Service) RedisAway() bool { return s.store.Away() }
