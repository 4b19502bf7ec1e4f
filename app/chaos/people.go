//go:build unix

package chaos

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"burble/app/accounts"
	"burble/app/chaos/bots"
	"burble/app/chaos/check"
	"burble/app/client"
	"burble/app/identity"
	"burble/streams"

	"github.com/google/uuid"
)

// secret is SECRET of all servers.
const secret = "shared by all servers"

// people manages accounts and members directly in Redis, as the servers do.
type people struct {
	store    *streams.Store
	accounts *accounts.Accounts
	owner    identity.User // creates the hidden rooms
}

// startPeople opens a store, which is closed when the test ends, and creates the owner's account.
func (h *harness) startPeople() *people {
	durabilities := map[string]streams.Durability{"memory": streams.Memory, "replica": streams.Replica, "disk": streams.Disk}
	log := slog.New(slog.DiscardHandler)
	store, err := streams.Open(h.testCtx, streams.Options{Redis: h.backend.directAddress(), Durability: durabilities[h.options.durability], Log: log, Wait: h.options.patience})
	if err != nil {
		h.t.Fatal(err)
	}
	p := &people{store: store, accounts: accounts.New(accounts.Options{Redis: store.Conns(), Secret: []byte(secret), Log: log})}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); store.Run(ctx) }()
	h.t.Cleanup(func() { stop(); <-ended; store.Close() })
	owner := h.newAccount(p, "owner")
	p.owner = identity.User{ID: owner.User, Name: "owner"}
	return p
}

// retryWhileUnavailable calls do, and repeats it while it fails because Redis is unavailable or full, until ctx
// ends. It returns any other error at once.
func retryWhileUnavailable(ctx context.Context, do func(context.Context) error) error {
	for {
		bounded, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := do(bounded)
		cancel()
		isTemporary := errors.Is(err, accounts.ErrUnavailable) || errors.Is(err, streams.ErrUnavailable) || errors.Is(err, streams.ErrFull)
		if err == nil || !isTemporary || ctx.Err() != nil {
			return err
		}
		wait(ctx, 50*time.Millisecond)
	}
}

// upload records a file that the user has uploaded to the room.
func (p *people) upload(ctx context.Context, user, room string) (id string, err error) {
	id = cryptorand.Text()
	by := p.store.AsRanked(streams.User{ID: user}, streams.Account)
	return id, by.AddFile(ctx, room, streams.File{ID: id, Name: "chaos.png", Type: "image/png", Size: 1})
}

// newAccount creates an account with a session.
func (h *harness) newAccount(p *people, name string) *bots.Account {
	guest := accounts.SignIn{User: identity.User{ID: uuid.NewString(), Name: name}, Key: uuid.NewString()}
	var signedIn accounts.SignedIn
	err := retryWhileUnavailable(h.testCtx, func(ctx context.Context) (err error) { signedIn, err = p.accounts.Upgrade(ctx, guest); return err })
	if err != nil {
		h.t.Fatal(err)
	}
	return bots.NewAccount(signedIn.User.ID, signedIn.Token)
}

// endSession ends the account's session, with a sign-out or a ban, and starts a new one. limit is how long
// the servers may take to end its connections.
func (p *people) endSession(ctx context.Context, record *bots.Record, account *bots.Account, ban bool, limit time.Duration) error {
	token := account.Token()
	session, err := p.accounts.Verify(token)
	if err != nil {
		return err
	}
	end := check.SessionEnd{Begun: time.Now(), Replied: time.Now().Add(time.Hour), Limit: limit}
	record.AddSessionEnd(token, end)
	err = retryWhileUnavailable(ctx, func(ctx context.Context) error {
		if ban {
			return p.accounts.Ban(ctx, accounts.Operator, account.User, "chaos")
		}
		return p.accounts.SignOut(ctx, account.User, account.User, session.ID)
	})
	if err != nil {
		return err
	}
	end.Replied = time.Now()
	record.AddSessionEnd(token, end)
	if ban {
		if err := retryWhileUnavailable(ctx, func(ctx context.Context) error { return p.accounts.Unban(ctx, accounts.Operator, account.User) }); err != nil {
			return err
		}
	}
	var signedIn accounts.SignedIn
	key := uuid.NewString()
	err = retryWhileUnavailable(ctx, func(ctx context.Context) error {
		code, err := p.accounts.CreateLink(ctx, accounts.Operator, account.User)
		if err == nil {
			signedIn, err = p.accounts.SpendLink(ctx, code, accounts.SignIn{Key: key})
		}
		return err
	})
	if err == nil {
		account.SetToken(signedIn.Token)
	}
	return err
}

// team is the hidden rooms of a phase, with the accounts that are or were members.
type team struct {
	*people
	rooms   []string
	writers []*bots.Account // stay members
	members []*bots.Account // are removed and added again
	inside  map[string]bool // by room and user ID
	changes int
}

// newTeam creates the hidden rooms of a phase.
func (p *phase) newTeam(of *people) *team {
	t := &team{people: of, inside: make(map[string]bool)}
	var all []streams.User
	for i := range 2 {
		t.writers = append(t.writers, p.newAccount(of, fmt.Sprint("writer ", i)))
		all = append(all, streams.User{ID: t.writers[i].User, Name: fmt.Sprint("writer ", i)})
	}
	for i := range 8 {
		t.members = append(t.members, p.newAccount(of, fmt.Sprint("member ", i)))
		all = append(all, streams.User{ID: t.members[i].User, Name: fmt.Sprint("member ", i)})
	}
	for range 2 {
		room, err := t.access().CreatePrivate(p.testCtx, "Chaos", all)
		if err != nil {
			p.t.Fatal(err)
		}
		t.rooms = append(t.rooms, room)
	}
	for i, member := range t.members {
		t.inside[t.rooms[i%len(t.rooms)]+member.User] = true
	}
	return t
}

// isInside reports whether the account is a member of its room. It must not run at the same time as manage.
func (t *team) isInside(user string) bool {
	for _, room := range t.rooms {
		if t.inside[room+user] {
			return true
		}
	}
	return false
}

func (t *team) access() streams.Access {
	return t.store.AsRanked(streams.User{ID: t.owner.ID, Name: t.owner.Name}, streams.Owner)
}

// followers returns the followers of the hidden rooms.
func (t *team) followers(environment *bots.Environment) (all []*bots.Follower) {
	ways := []string{"websocket", "sse", "websocket", "ndjson"}
	for i, member := range t.members {
		name := fmt.Sprint("member ", i)
		all = append(all, environment.NewMember(name, ways[i%len(ways)], i%2 > 0, member, t.rooms[i%len(t.rooms)]))
	}
	return all
}

// startTeam starts the clients that change and use the hidden rooms, and the strangers who try to enter them.
func (p *phase) startTeam(ctx context.Context, talking *sync.WaitGroup) {
	talking.Go(func() { p.team.manage(ctx, p.environment, p.newRandom("team"), p.endLimit) })
	for i, writer := range p.team.writers {
		author := p.environment.NewMemberAuthor(fmt.Sprint("writer ", i), writer, i > 0, p.team.rooms...)
		talking.Go(func() { author.Run(ctx) })
	}
	stranger := p.newAccount(p.people, "stranger")
	for name, token := range map[string]string{"stranger": stranger.Token(), "guest": p.token, "visitor": ""} {
		talking.Go(func() { p.environment.TryHiddenRoom(ctx, name, token, p.team.rooms[0]) })
	}
}

// calmLimit is how long servers may take to end the connections of a session if they can read the changes of
// accounts. faultyLimit applies if their connections to Redis may be broken without an error.
const (
	calmLimit   = time.Second
	faultyLimit = 20 * time.Second
)

// endLimit returns how long servers may take to end the connections of a session now.
func (p *phase) endLimit() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isFaulty {
		return faultyLimit
	}
	return calmLimit
}

// manage removes and adds members and ends sessions, one after another, until all faults are repaired.
// limit returns how long the servers may take to end a session's connections now.
func (t *team) manage(ctx context.Context, environment *bots.Environment, random *rand.Rand, limit func() time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-environment.Repaired:
			return
		case <-time.After(time.Duration(20+random.IntN(150)) * time.Millisecond):
		}
		i := random.IntN(len(t.members))
		member, room := t.members[i], t.rooms[i%len(t.rooms)]
		var err error
		if what := random.IntN(10); what < 2 {
			err = t.endSession(ctx, &environment.Record, member, what == 0, limit())
		} else {
			err = t.toggle(ctx, environment, member, room)
		}
		if err != nil && ctx.Err() == nil {
			environment.Record.AddFinding(check.WrongReply, "manage people: %v", err)
		}
	}
}

// toggle removes the account from the room, or adds it again.
func (t *team) toggle(ctx context.Context, environment *bots.Environment, account *bots.Account, room string) error {
	t.changes++
	role := streams.Ordinary
	if t.inside[room+account.User] {
		role = streams.NoRole
	}
	s := &check.SentEntry{Author: "owner", Room: room, Burst: t.changes, First: time.Now(), Entry: check.Entry{
		Kind: "member", Key: client.NewKey(), User: t.owner.ID, Member: account.User, Role: string(role),
	}}
	environment.Record.AddSent(s)
	entry := streams.Entry{Kind: streams.MemberChanged, Key: s.Entry.Key, Member: streams.User{ID: account.User, Name: "member"}, Role: role}
	var stored streams.Stored
	err := retryWhileUnavailable(ctx, func(ctx context.Context) (err error) {
		s.Attempts = append(s.Attempts, check.Attempt{At: time.Now()})
		stored, err = t.access().Append(ctx, room, entry)
		return err
	})
	if err != nil {
		s.Abandoned = true
		return err
	}
	at, err := check.ParseID(stored.Cursor.ID.String())
	s.Acks, s.Acked = append(s.Acks, at), time.Now()
	s.Attempts[len(s.Attempts)-1].Replied = s.Acked
	t.inside[room+account.User] = role != streams.NoRole
	return err
}
