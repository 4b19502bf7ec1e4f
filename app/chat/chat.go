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

// callTimeout bounds each write, including the store's retries, and each read of a search.
const callTimeout = 8 * time.Second

// Options configure a Service.
type Options struct {
	Log *slog.Logger
	// MessageRate is how many messages, and how many signals, a user may send a second; four
	// times as many at once. 0: no limit.
	MessageRate float64
	// LeaveGrace is how long a user may be disconnected before they count as having left: long
	// enough to reload a page or to reconnect. 0: 5 s.
	LeaveGrace time.Duration
	// EncodePresent encodes who is in a room, for Listener.Notify. Many listeners share the frame.
	EncodePresent func(room string, count int, people []streams.User) []byte
}

// Service is the chat as its users see it. Every call names the user.
type Service struct {
	store    *streams.Store
	presence *presence

	messages, signals *limit.Rate // by user
	searches          searchQuotas

	appended, refusedFull, refusedUnavailable atomic.Int64

	ctx  context.Context // of writes and searches; ends with Run
	stop context.CancelFunc
}

// New returns a Service. Run must run while it is used, and the store until Run has returned.
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

// Run keeps Redis up to date about who is in which room, until ctx ends. After that, writes and
// searches fail.
func (s *Service) Run(ctx context.Context) error {
	s.presence.run(ctx)
	s.stop()
	return nil
}

// as returns the user's access to the store, the only way to a room.
func (s *Service) as(user identity.User) streams.Access { return s.store.As(streams.User(user)) }

// Append stores an entry of the user, or fails within callTimeout. It takes no context, because an
// append is completed even if its client has disconnected.
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

// count updates the metrics after an append.
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

// AllowSignal counts one signal of the user, typing or seen. The error says why it is refused.
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

// allow counts one event of the user. The error says why it is refused.
func allow(rate *limit.Rate, user identity.User, what string) error {
	if user.IsZero() {
		return protocol.NoName()
	}
	if ok, after := rate.Allow(user.ID, 1, time.Now()); !ok {
		return protocol.TooMany(what, after)
	}
	return nil
}

// Follow returns a reader of the room that begins at from. The caller closes it. See
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

// Topic returns the room's topic, or "".
func (s *Service) Topic(ctx context.Context, user identity.User, room string) (string, error) {
	return s.as(user).Topic(ctx, room)
}

// ReadUpTo returns the ID of the last entry that the user has read in the room, or the zero ID.
func (s *Service) ReadUpTo(ctx context.Context, user identity.User, room string) (streams.ID, error) {
	return s.as(user).ReadUpTo(ctx, room)
}

// Join records that a connection of the user is in the room, and notifies the listener, once, of
// who is there. A user without a name is notified, but not recorded.
func (s *Service) Join(user identity.User, room string, listener Listener) {
	s.presence.join(room, user, listener)
}

// Leave undoes one Join of the user.
func (s *Service) Leave(user identity.User, room string) { s.presence.leave(room, user, time.Now()) }

// Health returns nil if Redis stores messages and has memory for more, else the store's error.
func (s *Service) Health(ctx context.Context) error { return s.store.Health(ctx) }

// RedisAway reports whether some part of Redis does not answer.
func (s *Service) RedisAway() bool { return s.store.Away() }
