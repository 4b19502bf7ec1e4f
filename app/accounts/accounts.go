package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"burble/app/accounts/verdicts"
	"burble/app/identity"
	"burble/streams/conns"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// Errors of this package. ErrUnavailable wraps the error from Redis. No error contains a code, a token
// or a name.
var (
	// ErrUnavailable means that Redis or the identity provider did not answer, or answered with an
	// unexpected error. A call that changes something may be repeated with the same SignIn.Key.
	ErrUnavailable = verdicts.ErrUnavailable
	// ErrFull wraps ErrUnavailable. It means that Redis has no memory or disk space left, and that nothing was changed.
	ErrFull = fmt.Errorf("%w: storage is full", ErrUnavailable)
	// ErrSignedOut means that the session has ended, has expired or never existed.
	ErrSignedOut = verdicts.ErrSignedOut
	// ErrBanned means that the person is banned.
	ErrBanned = verdicts.ErrBanned
	// ErrUpgraded means that the guest has or had an account, so the guest's token is no longer valid.
	ErrUpgraded = verdicts.ErrUpgraded
	// ErrCode means that the code of a link or an invite is wrong, used up, expired or revoked.
	ErrCode = errors.New("the code is invalid or no longer valid")
	// ErrRefused means that the response of an authenticator or an identity provider is not valid.
	ErrRefused = errors.New("the sign-in was refused")
	// ErrExists means that there is or was an account, that another account has the passkey, or that the
	// account has too many passkeys.
	ErrExists = errors.New("the account already exists")
	// ErrUnknown means that there is no such account.
	ErrUnknown = errors.New("there is no such account")
	// ErrNotAllowed means that the acting user lacks the required role.
	ErrNotAllowed = errors.New("not allowed")
	// ErrLastOwner means that the server would be left without an owner.
	ErrLastOwner = errors.New("the last owner cannot leave or be demoted")
)

// Types of package verdicts.
type (
	Role       = verdicts.Role
	Session    = verdicts.Session
	Verdict    = verdicts.Verdict
	Subscriber = verdicts.Subscriber
)

// The roles on the whole server.
const (
	Member    = verdicts.Member
	Moderator = verdicts.Moderator
	Owner     = verdicts.Owner
)

// RoleOf returns the role of an account with the rank.
func RoleOf(rank identity.Rank) Role { return verdicts.RoleOf(rank) }

// Operator is the user ID of the operator, who runs the program's commands. The operator may do
// everything.
const Operator = ""

// Options configure Accounts.
type Options struct {
	Redis  *conns.Set
	Prefix string // of every key, as in streams.Options
	Secret []byte // shared by all servers, and the same as for identity.NewTokens
	Log    *slog.Logger
	// EndUnconfirmed is for a Redis Cluster. See verdicts.Options.
	EndUnconfirmed bool
	// Now returns the time, see verdicts.Options. If nil, it is time.Now.
	Now func() time.Time
}

// Accounts stores accounts and their sessions. It is safe for concurrent use.
type Accounts struct {
	*verdicts.Verdicts

	redis *conns.Set
	keys  keys
	macs  macKeys
	now   func() time.Time
}

// New returns Accounts. Run must be running while connections are subscribed.
func New(o Options) *Accounts {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Accounts{redis: o.Redis, keys: keys{o.Prefix}, macs: newMACKeys(o.Secret), now: o.Now}
	a.Verdicts = verdicts.New(verdicts.Options{Store: (*states)(a), Log: o.Log, Now: o.Now, EndUnconfirmed: o.EndUnconfirmed})
	return a
}

// AccessKey is the key of the stream of changes, which the tail must read. See package verdicts.
func (a *Accounts) AccessKey() string { return a.keys.access() }

// Account is a person who can sign in.
type Account struct {
	identity.User
	Role    Role
	Created time.Time
	Banned  bool
}

// Account returns a person's account, or ErrUnknown.
func (a *Accounts) Account(ctx context.Context, user string) (Account, error) {
	found, err := a.accounts(ctx, user)
	if err == nil && len(found) == 0 {
		err = ErrUnknown
	}
	if err != nil {
		return Account{}, err
	}
	return found[0], nil
}

// People returns up to limit accounts in the order in which they were created, after skipping some.
func (a *Accounts) People(ctx context.Context, skip, limit int) ([]Account, error) {
	users, err := a.redis.Retrying.ZRange(ctx, a.keys.of("accounts"), int64(skip), int64(skip+limit-1)).Result()
	if err != nil {
		return nil, unavailable(err)
	}
	return a.accounts(ctx, users...)
}

// Find returns the users who have an account, with their ranks, and omits the others. A banned user has the rank of a guest.
func (a *Accounts) Find(ctx context.Context, users ...string) ([]identity.User, error) {
	return ranked(a.accounts(ctx, users...))
}

// List is like People, but returns users as Find does.
func (a *Accounts) List(ctx context.Context, limit int) ([]identity.User, error) {
	return ranked(a.People(ctx, 0, limit))
}

func ranked(found []Account, err error) ([]identity.User, error) {
	users := make([]identity.User, len(found))
	for i, account := range found {
		users[i] = account.User
		if !account.Banned {
			users[i].Rank = account.Role.Rank()
		}
	}
	return users, err
}

// accounts returns the accounts that exist, in one round trip.
func (a *Accounts) accounts(ctx context.Context, users ...string) ([]Account, error) {
	fields, bans := make([]*redis.SliceCmd, len(users)), make([]*redis.BoolCmd, len(users))
	err := a.redis.Pipeline(ctx, 1+len(users)/20, func(pipe redis.Pipeliner) {
		for i, user := range users {
			fields[i] = pipe.HMGet(ctx, a.keys.account(user), "name", "role", "created")
			bans[i] = pipe.HExists(ctx, a.keys.of("bans"), user)
		}
	})
	if err != nil {
		return nil, unavailable(err)
	}
	var found []Account
	for i, user := range users {
		if err := errors.Join(fields[i].Err(), bans[i].Err()); err != nil {
			return nil, unavailable(err)
		}
		name, exists := fields[i].Val()[0].(string)
		role, _ := fields[i].Val()[1].(string)
		created, _ := fields[i].Val()[2].(string)
		if !exists {
			continue
		}
		found = append(found, Account{identity.User{ID: user, Name: name}, Role(role), unixTime(created), bans[i].Val()})
	}
	return found, nil
}

// Rename changes the name of the account that is signed in, and returns the normalized name. If the name is invalid, the
// text of the error is meant for the user.
func (a *Accounts) Rename(ctx context.Context, s Session, name string) (string, error) {
	user, err := identity.NewUser(name)
	if err != nil {
		return "", err
	}
	_, err = a.run(ctx, renameScript, a.keys.person(userOf(s)), userOf(s), idOf(s), user.Name)
	return user.Name, err
}

// Leave removes the account that is signed in, with its sessions and passkeys. The messages of the person remain. The last
// owner cannot leave.
func (a *Accounts) Leave(ctx context.Context, s Session) error {
	identity, err := a.redis.Retrying.HGet(ctx, a.keys.account(userOf(s)), "identity").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return unavailable(err)
	}
	var more []string
	if identity != "" {
		more = append(more, a.keys.of("identity", identity))
	}
	_, err = a.run(ctx, leaveScript, a.keys.person(userOf(s), more...), userOf(s), idOf(s))
	return err
}

// checkUser returns an error unless user is a user ID, which is then safe in a key.
func checkUser(user string) error {
	if id, err := uuid.Parse(user); err != nil || id.String() != user {
		return fmt.Errorf("not a user ID: %w", ErrUnknown)
	}
	return nil
}

func unixTime(seconds string) time.Time {
	n, _ := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0)
}
