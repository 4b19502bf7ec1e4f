package streams_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

var (
	ada = streams.User{ID: "11111111-1111-4111-8111-111111111111", Name: "Ada"}
	bob = streams.User{ID: "22222222-2222-4222-8222-222222222222", Name: "Bob"}
)

// follower collects what one reader reads, and checks the chain as a client does.
type follower struct {
	t       *testing.T
	reader  *streams.Reader
	wake    chan struct{}
	at      streams.Cursor
	states  []streams.Followed
	begins  int // in all: what came after the last state
	all     []streams.Entry
	signals []*streams.Signal
}

func follow(t *testing.T, store *streams.Store, room string, from streams.From) *follower {
	t.Helper()
	f := &follower{t: t, wake: make(chan struct{}, 1)}
	reader, err := store.As(ada).Follow(room, from, func(*streams.Reader) {
		select {
		case f.wake <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	f.reader = reader
	f.wake <- struct{}{}
	t.Cleanup(reader.Close)
	return f
}

// until reads on until enough says so.
func (f *follower) until(what string, enough func() bool) {
	f.t.Helper()
	deadline := time.After(40 * time.Second)
	for !enough() {
		select {
		case <-f.wake:
		case <-deadline:
			f.t.Fatalf("waited in vain for %s: have %d entries, states %v", what, len(f.all), f.states)
		}
		f.drain()
	}
}

func (f *follower) drain() {
	f.t.Helper()
	for {
		// On an error, ready is called when it is worth asking again.
		read, err := f.step()
		if err != nil || read.AtEnd || read.IsEmpty() {
			return
		}
	}
}

// step reads once.
func (f *follower) step() (streams.Read, error) {
	f.t.Helper()
	read, err := f.reader.Next(context.Background())
	if read.Followed != nil {
		f.states = append(f.states, *read.Followed)
		f.at, f.begins = read.Followed.At, len(f.all)
	}
	if read.Batch != nil {
		if read.Batch.After != f.at {
			f.t.Fatalf("chain broken: at %v, batch after %v", f.at, read.Batch.After)
		}
		f.at = read.Batch.Upto
		f.all = append(f.all, read.Batch.Entries...)
	}
	f.signals = append(f.signals, read.Signals...)
	return read, err
}

func (f *follower) has(n int) {
	f.t.Helper()
	f.until(fmt.Sprintf("%d entries", n), func() bool { return len(f.all) >= n })
	if len(f.all) != n {
		f.t.Fatalf("got %d entries, want %d", len(f.all), n)
	}
}

// state waits for the next state and returns it.
func (f *follower) state() streams.Followed {
	f.t.Helper()
	had := len(f.states)
	f.until("a state", func() bool { return len(f.states) > had })
	return f.states[had]
}

func say(t testing.TB, store *streams.Store, room, text string) streams.Stored {
	t.Helper()
	stored, err := store.As(ada).Append(context.Background(), room,
		streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func texts(entries []streams.Entry) string {
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Text)
	}
	return strings.Join(all, " ")
}

func TestFreshReaderGetsTheNewestAndWhatComes(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		for i := range 5 {
			say(t, store, "lobby", fmt.Sprint(i))
		}
		f := follow(t, store, "lobby", streams.Newest(3))
		if state := f.state(); state.State != streams.Fresh {
			t.Fatalf("state %v", state)
		}
		f.has(3)
		say(t, store, "lobby", "5")
		f.has(4)
		if got := texts(f.all); got != "2 3 4 5" {
			t.Fatalf("got %q", got)
		}
	})
}

func TestReaderOfARoomThatDoesNotExistYetMissesNothing(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "new", streams.Newest(50))
		at := f.state().At
		say(t, store, "new", "a")
		say(t, store, "new", "b")
		f.has(2)
		back := follow(t, store, "new", streams.After(at))
		if state := back.state(); state.State != streams.Resumed {
			t.Fatalf("state %v", state)
		}
		back.has(2)
	})
}

func TestTwoStoresReadTheSame(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		one := redistest.Open(t, streams.Options{Redis: backend.Redis})
		two := redistest.Open(t, streams.Options{Redis: backend.Redis})
		a := follow(t, one, "lobby", streams.Newest(0))
		b := follow(t, two, "lobby", streams.Newest(0))
		a.state()
		b.state()
		for i := range 100 {
			say(t, []*streams.Store{one, two}[i%2], "lobby", fmt.Sprint(i))
		}
		a.has(100)
		b.has(100)
		for i := range a.all {
			if a.all[i].ID != b.all[i].ID || a.all[i].N != int64(i+1) {
				t.Fatalf("entry %d: %v and %v", i, a.all[i], b.all[i])
			}
		}
	})
}

func TestResumeReadsEverythingMissedInPages(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		first := say(t, store, "lobby", "first")
		for i := range 1234 {
			say(t, store, "lobby", fmt.Sprint(i))
		}
		f := follow(t, store, "lobby", streams.After(first.Cursor))
		if state := f.state(); state.State != streams.Resumed || state.At != first.Cursor {
			t.Fatalf("state %v", state)
		}
		f.has(1234)
		bare := follow(t, store, "lobby", streams.After(streams.Cursor{}))
		if state := bare.state(); state.State != streams.Resumed {
			t.Fatalf("state %v", state)
		}
		bare.has(1235)
	})
}

func TestRetryIsStoredOnce(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		one := redistest.Open(t, streams.Options{Redis: backend.Redis})
		two := redistest.Open(t, streams.Options{Redis: backend.Redis})
		entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: "once"}
		outcomes := make(chan streams.Stored, 20)
		for i := range 20 {
			go func() {
				stored, err := []*streams.Store{one, two}[i%2].As(entry.User).Append(context.Background(), "lobby", entry)
				if err != nil {
					t.Error(err)
				}
				outcomes <- stored
			}()
		}
		first, fresh := <-outcomes, 0
		for i := range 20 {
			stored := first
			if i > 0 {
				stored = <-outcomes
			}
			if stored.Cursor != first.Cursor {
				t.Errorf("another place: %v and %v", stored, first)
			}
			if !stored.Repeated {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%d of 20 say that they stored it", fresh)
		}
		other := entry
		other.User = bob
		if _, err := one.As(other.User).Append(context.Background(), "lobby", other); err == nil {
			t.Error("somebody else's key was taken for one's own")
		}
	})
}

func TestWhoComesBackAfterOthersNeedNotAskRedis(t *testing.T) {
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		first := say(t, store, "lobby", "seen")
		for range 30 {
			say(t, store, "lobby", "missed")
		}
		again := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, again, "lobby", streams.After(first.Cursor))
		f.until("what was missed", func() bool { return len(f.all) == 30 })
		second, err := again.As(ada).Follow("lobby", streams.After(first.Cursor), func(*streams.Reader) {})
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		read, ok := second.TryNext()
		if !ok || read.Followed == nil || read.Followed.State != streams.Resumed {
			t.Fatalf("first it is told %+v, %v", read, ok)
		}
		if read, ok = second.TryNext(); !ok || read.Batch == nil || len(read.Batch.Entries) != 30 {
			t.Fatalf("then %+v, %v", read, ok)
		}
	})
}

// Redis may be so far away that a busy room moves each time one asks for its end.
func TestRoomThatNeverRestsIsJoined(t *testing.T) {
	t.Parallel()
	backend := redistest.One(t)
	proxy := redistest.StartProxy(t, backend.Redis.Addrs[0])
	store := redistest.Open(t, streams.Options{Redis: &redis.UniversalOptions{Addrs: []string{proxy.Addr}}})
	say(t, store, "lobby", "one")
	proxy.Suffer(redistest.Weather{Delay: 10 * time.Millisecond})
	before := sum(calls(t, backend.Client))
	f := follow(t, store, "lobby", streams.Newest(50))
	joined, rests := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(rests)
		for {
			select {
			case <-joined:
				return
			case <-time.After(time.Millisecond):
				streams.NoteActivity(store, "lobby")
			}
		}
	}()
	f.has(1)
	close(joined)
	<-rests
	if asked := sum(calls(t, backend.Client)) - before; asked > 100 {
		t.Errorf("%d commands to join a room", asked)
	}
	say(t, store, "lobby", "two")
	f.has(2)
}
