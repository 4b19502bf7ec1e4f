package streams_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestFreshReader(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		for i := range 5 {
			post(t, store, "lobby", fmt.Sprint(i))
		}
		f := follow(t, store, "lobby", streams.Newest(3))
		if state := f.nextState(); state.State != streams.Fresh {
			t.Fatalf("got state %v, want fresh", state)
		}
		f.expect(3)
		post(t, store, "lobby", "5")
		f.expect(4)
		if got := texts(f.entries); got != "2 3 4 5" {
			t.Fatalf("got %q, want \"2 3 4 5\"", got)
		}
	})
}

func TestReaderOfRoomThatDoesNotExistYet(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "new", streams.Newest(50))
		at := f.nextState().At
		post(t, store, "new", "a")
		post(t, store, "new", "b")
		f.expect(2)
		back := follow(t, store, "new", streams.After(at))
		if state := back.nextState(); state.State != streams.Resumed {
			t.Fatalf("got state %v, want resumed", state)
		}
		back.expect(2)
	})
}

func TestTwoStoresReadTheSame(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		one := redistest.Open(t, streams.Options{Redis: backend.Redis})
		two := redistest.Open(t, streams.Options{Redis: backend.Redis})
		a := follow(t, one, "lobby", streams.Newest(0))
		b := follow(t, two, "lobby", streams.Newest(0))
		a.nextState()
		b.nextState()
		for i := range 100 {
			post(t, []*streams.Store{one, two}[i%2], "lobby", fmt.Sprint(i))
		}
		a.expect(100)
		b.expect(100)
		for i := range a.entries {
			if a.entries[i].ID != b.entries[i].ID || a.entries[i].Number != int64(i+1) {
				t.Fatalf("entry %d: got %v and %v, want the same entry with number %d", i, a.entries[i], b.entries[i], i+1)
			}
		}
	})
}

func TestResumeAcrossBatches(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		first := post(t, store, "lobby", "first")
		for i := range 1234 {
			post(t, store, "lobby", fmt.Sprint(i))
		}
		f := follow(t, store, "lobby", streams.After(first.Cursor))
		if state := f.nextState(); state.State != streams.Resumed || state.At != first.Cursor {
			t.Fatalf("got state %v, want resumed at %v", state, first.Cursor)
		}
		f.expect(1234)
		follower := follow(t, store, "lobby", streams.After(streams.Cursor{}))
		if state := follower.nextState(); state.State != streams.Resumed {
			t.Fatalf("got state %v, want resumed", state)
		}
		follower.expect(1235)
	})
}

func TestConcurrentRetriesAreStoredOnce(t *testing.T) {
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
				t.Errorf("got cursors %v and %v, want the same", stored.Cursor, first.Cursor)
			}
			if !stored.Repeated {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%d of 20 appends reported that they stored the entry, want 1", fresh)
		}
		other := entry
		other.User = bob
		if _, err := one.As(other.User).Append(context.Background(), "lobby", other); err == nil {
			t.Error("append with another user's key: got no error, want one")
		}
	})
}

func TestTryNextUsesCachedRead(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		first := post(t, store, "lobby", "seen")
		for range 30 {
			post(t, store, "lobby", "missed")
		}
		other := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, other, "lobby", streams.After(first.Cursor))
		f.readUntil("the missed entries", func() bool { return len(f.entries) == 30 })
		second, err := other.As(ada).Follow("lobby", streams.After(first.Cursor), func(*streams.Reader) {})
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		read, ok := second.TryNext()
		if !ok || read.Followed == nil || read.Followed.State != streams.Resumed {
			t.Fatalf("first TryNext: got %+v, %v, want state resumed", read, ok)
		}
		if read, ok = second.TryNext(); !ok || read.Batch == nil || len(read.Batch.Entries) != 30 {
			t.Fatalf("second TryNext: got %+v, %v, want 30 entries", read, ok)
		}
	})
}

// If Redis is far away, new entries arrive in a busy room during each lookup of a reader's position.
func TestFollowBusyRoomOverSlowConnection(t *testing.T) {
	t.Parallel()
	backend := redistest.Single(t)
	proxy := redistest.StartProxy(t, backend.Redis.Addrs[0])
	store := redistest.Open(t, streams.Options{Redis: &conns.Address{Addrs: []string{proxy.Addr}}})
	post(t, store, "lobby", "one")
	proxy.SetFaults(redistest.Faults{Delay: 10 * time.Millisecond})
	before := sum(commandCalls(t, backend.Client))
	f := follow(t, store, "lobby", streams.Newest(50))
	joined, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-joined:
				return
			case <-time.After(time.Millisecond):
				streams.MarkMoved(store, "lobby")
			}
		}
	}()
	f.expect(1)
	close(joined)
	<-stopped
	if sent := sum(commandCalls(t, backend.Client)) - before; sent > 100 {
		t.Errorf("sent %d commands to follow a room, want at most 100", sent)
	}
	post(t, store, "lobby", "two")
	f.expect(2)
}
