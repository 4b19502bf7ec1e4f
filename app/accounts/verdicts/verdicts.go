package verdicts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"burble/app/identity"

	"github.com/google/uuid"
)

// Errors returned by Verdicts.
var (
	// ErrUnavailable means that Redis did not reply, or replied with an unexpected error.
	ErrUnavailable = errors.New("accounts are unavailable")
	// ErrSignedOut means that the session has ended, has expired or never existed.
	ErrSignedOut = errors.New("signed out")
	// ErrBanned means that the person is banned.
	ErrBanned = errors.New("banned")
	// ErrUpgraded means that the guest has or had an account, so the guest's token is no longer valid.
	ErrUpgraded = errors.New("the guest has an account now")
)

// Role is what a person may do on the whole server.
type Role string

// The roles. An empty Role is that of a guest.
const (
	Member    Role = "member"
	Moderator Role = "moderator"
	Owner     Role = "owner"
)

// IsValid reports whether r is one of the roles above.
func (r Role) IsValid() bool { return r == Member || r == Moderator || r == Owner }

// Rank returns the rank of a user with the role. A role that only a newer release knows has the rank of a
// Member.
func (r Role) Rank() identity.Rank {
	switch r {
	case "":
		return identity.Guest
	case Owner:
		return identity.Owner
	case Moderator:
		return identity.Moderator
	}
	return identity.Account
}

// RoleOf returns the role of an account with the rank.
func RoleOf(rank identity.Rank) Role {
	switch rank {
	case identity.Owner:
		return Owner
	case identity.Moderator:
		return Moderator
	}
	return Member
}

// Session is a sign-in, as a token with a valid signature describes it. Verdict decides whether it is
// still valid.
type Session struct {
	User, ID uuid.UUID
	Expiry   time.Time // of the token
}

// Verdict is the current user of a session, and the user's role.
type Verdict struct {
	User identity.User
	Role Role
}

// Store reads sessions from Redis. Its errors wrap ErrUnavailable.
type Store interface {
	// ReadStates returns the states of the users and sessions, in the same order.
	ReadStates(ctx context.Context, queries ...Query) ([]State, error)
	// ReadGuest returns nil, ErrUpgraded or ErrBanned.
	ReadGuest(ctx context.Context, user uuid.UUID) error
	// ReadEndedGuests returns all user IDs for which ReadGuest returns an error, and whether it is
	// ErrBanned. There are few: one for each upgraded guest, and for each ban. asOf is as in State.
	ReadEndedGuests(ctx context.Context) (ended map[uuid.UUID]bool, asOf string, err error)
}

// Query selects a user and some of that user's sessions.
type Query struct {
	User     uuid.UUID
	Sessions []uuid.UUID
}

// State is what Redis knows about a user and some sessions of that user at one moment.
type State struct {
	AsOf     string // the ID of the last change that the state reflects, or "0-0"
	User     identity.User
	Role     Role
	IsBanned bool
	Sessions []SessionState // in the order of Query.Sessions
}

// SessionState is the state of one session.
type SessionState struct {
	Used   int64 // the day it was last used
	IsLive bool
}

// Options configure Verdicts.
type Options struct {
	Store Store
	Log   *slog.Logger
	// Now returns the time. Like the result of time.Now, it must have a monotonic clock reading.
	Now func() time.Time
	// EndUnconfirmed ends subscriptions that could not be confirmed for MaxUnconfirmed. It is for a Redis
	// Cluster: while the node with the accounts is unreachable, other nodes may still deliver messages to the
	// subscribers.
	EndUnconfirmed bool
}

// Verdicts decides whether sessions are valid.
type Verdicts struct {
	options Options
	cache   *cache
}

// New returns Verdicts. Run must be running while connections are subscribed.
func New(options Options) *Verdicts { return &Verdicts{options, newCache(options.Now())} }

const (
	// staleReads is the maximum number of reads of a session. A read is repeated if its state is older
	// than what the tail has read, which happens for a moment after a failover.
	staleReads = 5
	// staleBackoff is the time before the second read. It doubles for each further one.
	staleBackoff = 10 * time.Millisecond
)

// Verdict returns who the session belongs to, or ErrSignedOut, ErrBanned or ErrUnavailable. It decides
// from memory if the tail confirms that nothing has changed, and otherwise reads Redis.
func (v *Verdicts) Verdict(ctx context.Context, s Session) (Verdict, error) {
	now := v.options.Now()
	if !now.Before(s.Expiry) {
		return Verdict{}, ErrSignedOut
	}
	if verdict, found := v.cache.verdict(s, now); found {
		return verdict, nil
	}
	return v.load(ctx, s)
}

// load reads a session from Redis and caches it.
func (v *Verdicts) load(ctx context.Context, s Session) (Verdict, error) {
	wait := staleBackoff
	query := Query{s.User, []uuid.UUID{s.ID}}
	for range staleReads {
		epoch := v.cache.currentEpoch()
		states, err := v.options.Store.ReadStates(ctx, query)
		if err != nil {
			return Verdict{}, err
		}
		state := &states[0]
		verdict, err := state.verdict(0)
		if v.cache.apply(query, state, epoch) {
			return verdict, err
		}
		if state.AsOf == "0-0" && err != nil { // Redis is empty
			return verdict, err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return Verdict{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	}
	return Verdict{}, fmt.Errorf("%w: redis returned an outdated state", ErrUnavailable)
}

// verdict returns the verdict on one of the sessions.
func (s *State) verdict(i int) (Verdict, error) {
	switch {
	case s.IsBanned:
		return Verdict{}, ErrBanned
	case !s.Sessions[i].IsLive:
		return Verdict{}, ErrSignedOut
	}
	return Verdict{s.User, s.Role}, nil
}

// Guest returns nil if the user with this ID is still a guest. Otherwise, it returns
// ErrUpgraded, ErrBanned or ErrUnavailable. The caller must have verified the guest's token.
func (v *Verdicts) Guest(ctx context.Context, user string) error {
	id, err := uuid.Parse(user)
	if err != nil {
		return ErrSignedOut
	}
	if v.cache.isGuest(id, v.options.Now()) {
		return nil
	}
	return v.options.Store.ReadGuest(ctx, id)
}

// A Subscriber is an open connection of a session or a guest.
type Subscriber interface {
	// SessionChanged is called with the new verdict when the person's role or name changes, and with
	// ErrSignedOut, ErrBanned or ErrUpgraded when the session or the guest's token is no longer valid. ErrUnavailable
	// means that the session could not be confirmed for too long, see Options.EndUnconfirmed. After an error,
	// it is not called again. It must not block, and may be called by any goroutine.
	SessionChanged(verdict Verdict, err error)
}

// Subscribe is Verdict for an open connection. From then on, the subscriber is notified of changes,
// until the caller calls Unsubscribe. After an error, the subscriber is not subscribed.
func (v *Verdicts) Subscribe(ctx context.Context, s Session, subscriber Subscriber) (Verdict, error) {
	for range staleReads {
		verdict, err := v.Verdict(ctx, s)
		if err != nil || v.cache.subscribe(s, subscriber) {
			return verdict, err
		}
	}
	return Verdict{}, fmt.Errorf("%w: the session changes too often", ErrUnavailable)
}

// LastUsed returns the day, in days since 1970, on which the session was last used according to Redis,
// or -1 if it is not cached.
func (v *Verdicts) LastUsed(s Session) int64 { return v.cache.lastUsed(s) }

// SetUsed records in the cache that Redis has stored day as the session's day of last use.
func (v *Verdicts) SetUsed(s Session, day int64) { v.cache.setUsed(s, day) }

// Unsubscribe undoes Subscribe.
func (v *Verdicts) Unsubscribe(s Session, subscriber Subscriber) { v.cache.unsubscribe(s, subscriber) }

// SubscribeGuest is Guest for an open connection. The subscriber is notified when the guest's
// token is no longer valid, until the caller calls UnsubscribeGuest. If Redis does not answer, SubscribeGuest
// succeeds: the guest is checked with all others when the tail is restored.
func (v *Verdicts) SubscribeGuest(ctx context.Context, user string, subscriber Subscriber) error {
	id, err := uuid.Parse(user)
	if err != nil {
		return ErrSignedOut
	}
	v.cache.subscribeGuest(id, subscriber) // first, so that no change is missed
	if err := v.Guest(ctx, user); err != nil && !errors.Is(err, ErrUnavailable) {
		v.cache.unsubscribeGuest(id, subscriber)
		return err
	}
	return nil
}

// UnsubscribeGuest undoes SubscribeGuest.
func (v *Verdicts) UnsubscribeGuest(user string, subscriber Subscriber) {
	if id, err := uuid.Parse(user); err == nil {
		v.cache.unsubscribeGuest(id, subscriber)
	}
}
