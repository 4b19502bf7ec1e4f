package accounts_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/identity"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// The helpers of these tests:
//
//	open(t, redis)                      Accounts on a Redis
//	newUser(t, name)                    a user with a new ID
//	join(t, a, name, role)              an account with a role, signed in
//	wantError(t, what, err, want)       checks an error
//	tail                                reads the stream of changes, as package streams does
//	recorder                            a Subscriber
//	atOnce(n, do)                       runs do n times at the same moment

var secret = []byte("a secret that all servers share!")

var ctx = context.Background()

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// open returns Accounts on the Redis. The Redis connections are closed when the test ends.
func open(t testing.TB, address *conns.Address, change ...func(*accounts.Options)) *accounts.Accounts {
	t.Helper()
	o := accounts.Options{Secret: secret}
	for _, set := range change {
		set(&o)
	}
	o.Redis = conns.New(conns.Options{Redis: address, Stream: o.Prefix + "{0}:activity"})
	t.Cleanup(func() { o.Redis.Close() })
	return accounts.New(o)
}

func start(t testing.TB) *accounts.Accounts { return open(t, redistest.Start(t).Redis()) }

func newUser(t testing.TB, name string) identity.User {
	t.Helper()
	user, err := identity.NewUser(name)
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// join creates an account with the role, and signs in.
func join(t testing.TB, a *accounts.Accounts, name string, role accounts.Role) accounts.SignedIn {
	t.Helper()
	signedIn, err := a.Upgrade(ctx, accounts.SignIn{User: newUser(t, name), Device: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if role != accounts.Member {
		if err := a.SetRole(ctx, accounts.Operator, signedIn.User.ID, role); err != nil {
			t.Fatal(err)
		}
		signedIn.Role = role
	}
	return signedIn
}

func wantError(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func wantVerdict(t testing.TB, a *accounts.Accounts, signedIn accounts.SignedIn, want error) {
	t.Helper()
	_, err := a.Verdict(ctx, signedIn.Session)
	wantError(t, "verdict on "+signedIn.User.Name, err, want)
}

// atOnce runs do n times at the same moment.
func atOnce(n int, do func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			do(i)
		})
	}
	done.Wait()
}

// A tail reads the stream of changes for Accounts until the test ends.
type tail struct {
	t      testing.TB
	a      *accounts.Accounts
	client redistest.Client
	stop   context.CancelFunc
	done   chan struct{}
}

func follow(t testing.TB, a *accounts.Accounts, address *conns.Address) *tail {
	t.Helper()
	tail := &tail{t: t, a: a, client: redistest.Connect(t, address)}
	tail.resume()
	t.Cleanup(tail.cut)
	return tail
}

// resume reads again after cut.
func (l *tail) resume() {
	l.t.Helper()
	last := "0-0"
	found, err := l.client.XRevRangeN(ctx, l.a.AccessKey(), "+", "-", 1).Result()
	if err == nil && len(found) > 0 {
		last = found[0].ID
	}
	if err == nil {
		err = l.a.Restored(ctx, last)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	l.stop, l.done = stop, make(chan struct{})
	go func() {
		defer close(l.done)
		for running.Err() == nil {
			read, err := l.client.XRead(running, &redis.XReadArgs{
				Streams: []string{l.a.AccessKey(), last}, Block: 50 * time.Millisecond,
			}).Result()
			if err != nil && !errors.Is(err, redis.Nil) {
				continue
			}
			for _, stream := range read {
				for _, entry := range stream.Messages {
					last = entry.ID
					l.a.Changed(entry.ID, entry.Values)
				}
			}
			l.a.Confirmed()
		}
	}()
}

// cut stops reading, as when the connection is lost.
func (l *tail) cut() {
	l.stop()
	<-l.done
	l.a.Broken()
}

// A recorder is a Subscriber that records its calls.
type recorder chan event

type event struct {
	verdict accounts.Verdict
	err     error
}

func (r recorder) SessionChanged(v accounts.Verdict, err error) { r <- event{v, err} }

// next returns the next call.
func (r recorder) next(t testing.TB) event {
	t.Helper()
	select {
	case e := <-r:
		return e
	case <-time.After(time.Minute):
		t.Fatal("the subscriber was not notified")
		return event{}
	}
}

func newRecorder() recorder { return make(recorder, 100) }

// eventually waits until the condition is met.
func eventually(t testing.TB, what string, met func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !met(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

func ids(signedIn ...accounts.SignedIn) (all []uuid.UUID) {
	for _, one := range signedIn {
		all = append(all, one.Session.ID)
	}
	return all
}
