package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"burble/app/identity"
	"burble/app/lease"
	"burble/app/limit"
	"burble/app/markup"
	"burble/app/presence"
	"burble/app/protocol"
	"burble/streams"
)

// callTimeout limits each write, including the store's retries, and each read of a search.
const callTimeout = 8 * time.Second

// Options configure a Service.
type Options struct {
	Log *slog.Logger
	// MessageRate limits the messages that a user may send per second, and separately the signals and the uploads.
	// Bursts may be four times as large. 0 means no limit.
	MessageRate float64
	// ByteRate limits the bytes that each address may store per second, with bursts 64 times as large.
	// RoomRate limits the rooms that each address may create per minute, with bursts 20 times as large.
	// All addresses together may create 10 times as many. 0 means no limit.
	ByteRate, RoomRate float64
	// LeaveGrace is how long a user may be disconnected before they count as having left the room. It must
	// be long enough to reload a page or to reconnect. 0 means 5 s.
	LeaveGrace time.Duration
	// EncodePresent encodes the list of people in a room for Listener.Notify. All listeners of the
	// room share the returned frame.
	EncodePresent func(room string, count int, people []streams.User) []byte
	// Directory finds people who have an account. If nil, nobody has one.
	Directory Directory
	// OnFilesDeleted, if set, is called after a user of this server has deleted a message with files. DueFiles
	// soon returns those files: see streams.Stored.HadFiles. OnFilesDeleted must not block.
	OnFilesDeleted func(room string)
	// Secret is the secret that all servers share. The names of direct and private rooms are derived from it.
	Secret []byte
}

// Service reads and writes rooms on behalf of users.
type Service struct {
	store     *streams.Store
	presence  *presence.Presence
	directory Directory
	secret    []byte
	log       *slog.Logger
	removals  func() *lease.Job // returns the same job each time

	onFilesDeleted func(room string)

	messages, signals, uploads *limit.Rate // per user
	writes                     writeLimits
	searches                   searchQuotas
	searchedEntries            *limit.Rate // by address

	appended, refusedFull, refusedUnavailable atomic.Int64

	ctx  context.Context // for writes and searches; canceled when Run returns
	stop context.CancelFunc
}

// New returns a Service. The caller must keep Run running while it uses the Service, and must not
// stop the store before Run has returned.
func New(store *streams.Store, options Options) *Service {
	burst := int(4 * options.MessageRate)
	s := &Service{
		store:           store,
		messages:        limit.NewRate(options.MessageRate, burst),
		signals:         limit.NewRate(options.MessageRate, burst),
		uploads:         limit.NewRate(options.MessageRate, burst),
		onFilesDeleted:  options.OnFilesDeleted,
		writes:          newWriteLimits(options),
		searches:        newSearchQuotas(),
		searchedEntries: limit.NewRate(searchRate, searchBurst),
		directory:       options.Directory,
		secret:          options.Secret,
		log:             options.Log,
	}
	s.removals = sync.OnceValue(s.newRemovals)
	if s.directory == nil {
		s.directory = noDirectory{}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.presence = presence.New(store, presence.Options{Log: s.log, LeaveGrace: options.LeaveGrace, Encode: options.EncodePresent})
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Run records presence in Redis, and removes messages as RemoveMessages requested, until ctx ends. After that,
// writes and searches fail.
func (s *Service) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { s.removals().Run(ctx) })
	s.presence.Run(ctx)
	running.Wait()
	s.stop()
	return nil
}

// as returns the store's handle for the user. All access to rooms goes through it.
func (s *Service) as(user identity.User) streams.Access {
	if user.Rank == identity.Guest {
		return s.store.As(author(user))
	}
	return s.store.AsRanked(author(user), ranks[user.Rank])
}

// author returns the user as the author of an entry.
func author(user identity.User) streams.User { return streams.User{ID: user.ID, Name: user.Name} }

// ranks maps the ranks of users with an account to those of the store.
var ranks = map[identity.Rank]streams.Rank{
	identity.Account: streams.Account, identity.Moderator: streams.Moderator, identity.Owner: streams.Owner,
}

// Append stores an entry for the user and counts it against the limits of the address. It returns within
// callTimeout. It takes no context, because an append completes even if the client disconnects.
func (s *Service) Append(user identity.User, address, room string, entry streams.Entry) (streams.Stored, error) {
	if err := allow(s.messages, user, "messages"); err != nil {
		return streams.Stored{}, err
	}
	if err := s.writes.allowEntry(address, &entry); err != nil {
		return streams.Stored{}, err
	}
	entry.User = author(user)
	if entry.Preview != nil && !hasLink(&entry) {
		return streams.Stored{}, protocol.Errorf(protocol.BadField, "preview", "The message has no link to the page of this preview.")
	}
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	if entry.Kind == streams.Message || entry.Kind == streams.Edit {
		entry.Mentions = s.findMentions(ctx, user, room, entry)
	}
	stored, err := s.as(user).AppendExisting(ctx, room, entry)
	if errors.Is(err, streams.ErrNoRoom) {
		if err := s.writes.allowRoom(address); err != nil {
			return stored, err
		}
		stored, err = s.as(user).Append(ctx, room, entry)
	}
	s.count(stored, err)
	s.reportFiles(room, stored)
	if errors.Is(err, streams.ErrNotFound) && entry.Kind == streams.Message {
		return stored, protocol.Errorf(protocol.NotFound, "reply_to", "There is no message %v in this room to reply to.", entry.ReplyTo)
	}
	if errors.Is(err, streams.ErrNoFile) && entry.Preview != nil && entry.Preview.File != nil {
		// The missing file may also be one that is attached to the message. Sending the message without the
		// preview then returns ErrNoFile.
		return stored, protocol.Errorf(protocol.BadField, "preview", "This preview was already sent, or has expired. Request a new one, or send the message without it.")
	}
	if err != nil {
		return stored, fmt.Errorf("append %s: %w", entry.Kind, err)
	}
	if stored.Author.ID != "" {
		err = s.Record(user, entry.Key, streams.Entry{Action: protocol.ActionDelete, Room: room, Member: stored.Author})
	}
	return stored, err
}

// hasLink reports whether a message links to the page of its preview.
func hasLink(entry *streams.Entry) bool {
	return markup.HasLink(markup.HTML(entry), entry.Preview.URL)
}

// findMentions returns the names that a message mentions. If it cannot read the room's names, it returns
// every name that the message could mention.
func (s *Service) findMentions(ctx context.Context, user identity.User, room string, entry streams.Entry) []string {
	if !markup.HasAt(entry.Text) {
		return nil
	}
	entry.User = author(user)
	names, _ := s.as(user).Names(ctx, room)
	return markup.Mentions(&entry, names)
}

// count records the outcome of an append in the metrics.
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

// AllowSignal counts a signal, typing or read, against the user's rate limit. It returns an error if
// the user has no name or exceeds the limit.
func (s *Service) AllowSignal(user identity.User) error { return allow(s.signals, user, "signals") }

// Typing signals that the user is typing in the room. Call AllowSignal first.
func (s *Service) Typing(user identity.User, room string) error {
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	return s.as(user).Signal(ctx, room, streams.Typing)
}

// MarkRead moves the user's read marker in the room on all of the user's devices. Call AllowSignal
// first.
func (s *Service) MarkRead(user identity.User, room string, id streams.ID) error {
	ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	return s.as(user).MarkRead(ctx, room, id)
}

// allow counts one event against the user's rate limit. It returns an error if the user has no name
// or exceeds the limit. things names the events in the plural, for that error.
func allow(rate *limit.Rate, user identity.User, things string) error {
	if user.IsZero() {
		return protocol.NameRequired()
	}
	if ok, retryAfter := rate.Allow(user.ID, 1, time.Now()); !ok {
		return protocol.TooMany(things, retryAfter)
	}
	return nil
}

// CheckAccess returns an error if the user may not read the room now. Callers of Follow use it to refuse a request before
// the live read starts.
func (s *Service) CheckAccess(ctx context.Context, user identity.User, room string) error {
	return s.as(user).CheckAccess(ctx, room)
}

// Follow returns a reader of the room that starts at from. The caller must close it. If the user
// may not read the room, Follow returns an error, or the first read reports Closed. See streams.Access.Follow.
func (s *Service) Follow(user identity.User, room string, from streams.From, ready func(*streams.Reader)) (*streams.Reader, error) {
	return s.as(user).Follow(room, from, ready)
}

// Page returns a page of the room's history. A message has no preview after an edit that removed its link.
func (s *Service) Page(ctx context.Context, user identity.User, room string, query streams.PageQuery) (streams.Page, error) {
	page, err := s.as(user).Page(ctx, room, query)
	for i := range page.Entries {
		if entry := &page.Entries[i]; entry.Preview != nil && !entry.Edited.IsZero() && !hasLink(entry) {
			entry.Preview = nil
		}
	}
	return page, err
}

// Rooms returns up to limit rooms, most recently active first.
func (s *Service) Rooms(ctx context.Context, user identity.User, limit int) ([]streams.Room, error) {
	rooms, err := s.as(user).Rooms(ctx, limit)
	s.addTitles(ctx, user, rooms)
	return rooms, err
}

// ReadUpTo returns the ID of the last entry that the user has read in the room, or the zero ID if
// the user has read nothing there.
func (s *Service) ReadUpTo(ctx context.Context, user identity.User, room string) (streams.ID, error) {
	return s.as(user).ReadUpTo(ctx, room)
}

// Join counts one connection of the user in the room and sends the list of people there to the
// listener once. It does not count users without a name. If the user's connections have different
// names, everyone sees the one with the latest namedAt. The user must follow the room.
func (s *Service) Join(user identity.User, namedAt time.Time, room string, listener presence.Listener) {
	s.presence.Join(room, streams.Arrival{User: author(user), NamedAt: namedAt}, s.as(user), listener)
}

// Watch sends the list of people in the room to the listener once. The user must follow the room.
func (s *Service) Watch(user identity.User, room string, listener presence.Listener) {
	s.presence.Join(room, streams.Arrival{}, s.as(user), listener)
}

// Leave undoes one call to Join for the user.
func (s *Service) Leave(user identity.User, room string) { s.presence.Leave(room, user.ID) }

// Health returns nil if Redis accepts messages and has memory for more, or else the store's error.
func (s *Service) Health(ctx context.Context) error { return s.store.Health(ctx) }

// Warning describes why Redis may lose stored messages, or returns "" if there is no known risk.
// Health updates it.
func (s *Service) Warning() string { return s.store.Warning() }

// RedisAway reports whether any part of Redis is unreachable.
func (s *Service) RedisAway() bool { return s.store.Away() }
