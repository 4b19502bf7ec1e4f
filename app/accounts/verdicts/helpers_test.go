package verdicts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"burble/app/identity"

	"github.com/google/uuid"
)

// Helpers of this package's tests:
//
//	fakeStore   is a Store in memory, which can lag, fail, or call a function after a read
//	fixture     is a Verdicts on a fakeStore, with checks of its verdicts
//	recorder    is a subscriber that records its events

var ctx = context.Background()

// A fakeStore is a Store in memory, with the stream of changes.
type fakeStore struct {
	mu       sync.Mutex
	last     int // the last entry of the stream
	lag      int // how many entries reads are behind, as on a former primary
	away     bool
	users    map[uuid.UUID]*State
	sessions map[uuid.UUID]bool // whether they are live
	ended    map[uuid.UUID]bool
	reads    int
	onRead   func() // called after a read, before it returns
}

func newFakeStore() *fakeStore {
	return &fakeStore{last: 1, users: map[uuid.UUID]*State{}, sessions: map[uuid.UUID]bool{}, ended: map[uuid.UUID]bool{}}
}

func entry(n int) string { return fmt.Sprintf("%d-0", n) }

// session adds a live session of a new user.
func (f *fakeStore) session() Session {
	s := Session{uuid.New(), uuid.New(), time.Now().Add(time.Hour)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users[s.User] = &State{User: identity.User{ID: s.User.String(), Name: "Ada"}, Role: Member}
	f.sessions[s.ID] = true
	return s
}

// change appends a change to the stream, and returns it.
func (f *fakeStore) change(kind string, s Session, do func(*State)) (id string, fields map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	if do != nil {
		do(f.users[s.User])
	}
	if kind == "signed_out" {
		f.sessions[s.ID] = false
	}
	fields = map[string]any{"kind": kind, "user": s.User.String(), "session": s.ID.String()}
	if user := f.users[s.User]; user != nil {
		fields["role"], fields["name"] = string(user.Role), user.User.Name
	}
	return entry(f.last), fields
}

func (f *fakeStore) ReadStates(_ context.Context, queries ...Query) (found []State, err error) {
	f.mu.Lock()
	f.reads++
	for _, query := range queries {
		state := *f.users[query.User]
		state.AsOf = entry(f.last - f.lag)
		for _, id := range query.Sessions {
			state.Sessions = append(state.Sessions, SessionState{1, f.sessions[id] && !state.IsBanned})
		}
		found = append(found, state)
	}
	if f.away {
		found, err = nil, ErrUnavailable
	}
	onRead := f.onRead
	f.onRead = nil
	f.mu.Unlock()
	if onRead != nil {
		onRead()
	}
	return found, err
}

func (f *fakeStore) ReadGuest(_ context.Context, user uuid.UUID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	isBanned, ended := f.ended[user]
	switch {
	case f.away:
		return ErrUnavailable
	case isBanned:
		return ErrBanned
	case ended:
		return ErrUpgraded
	}
	return nil
}

func (f *fakeStore) ReadEndedGuests(context.Context) (map[uuid.UUID]bool, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return nil, "", ErrUnavailable
	}
	ended := map[uuid.UUID]bool{}
	for id, isBanned := range f.ended {
		ended[id] = isBanned
	}
	return ended, entry(f.last - f.lag), nil
}

// fixture is a Verdicts with a clock that the test moves.
type fixture struct {
	*Verdicts
	*fakeStore
	t   testing.TB
	now time.Duration
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{t: t, fakeStore: newFakeStore(), now: time.Second}
	start := time.Now()
	f.Verdicts = New(Options{Store: f.fakeStore, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return start.Add(f.now) }})
	f.now += time.Second
	f.restore(nil)
	return f
}

func (f *fixture) restore(want error) {
	f.t.Helper()
	f.mu.Lock()
	last := entry(f.last)
	f.mu.Unlock()
	if err := f.Restored(ctx, last); !errors.Is(err, want) {
		f.t.Fatalf("restored: %v, want %v", err, want)
	}
}

// want checks the verdict, and how many reads it took.
func (f *fixture) want(s Session, want error, reads int) {
	f.t.Helper()
	before := f.reads
	_, err := f.Verdict(ctx, s)
	if !errors.Is(err, want) || f.reads-before != reads {
		f.t.Errorf("verdict %v after %d reads, want %v after %d", err, f.reads-before, want, reads)
	}
}

type recorder struct{ events []error }

func (r *recorder) SessionChanged(_ Verdict, err error) { r.events = append(r.events, err) }
