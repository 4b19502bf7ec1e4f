package streams_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// removedReaders is the number of readers that lose their membership in a removalRoom.
const removedReaders = 20

// A removalRoom is a private room on two servers. Up to 1,000 messages a second are written while members are
// removed, to detect a removal that takes effect too early or too late.
type removalRoom struct {
	*testing.T
	client redistest.Client
	stores [2]*streams.Store
	room   string

	written atomic.Int64 // number of messages
}

// awaitMessages waits until 20 more messages have been written.
func (r *removalRoom) awaitMessages() {
	r.Helper()
	before := r.written.Load()
	eventually(r, "more messages", func() bool { return r.written.Load() > before+20 })
}

func newRemovalRoom(t *testing.T, client redistest.Client, options streams.Options) *removalRoom {
	t.Helper()
	r := &removalRoom{T: t, client: client}
	for i := range r.stores {
		r.stores[i] = redistest.Open(t, options)
	}
	r.room = privateRoom(t, r.stores[0], removedReaders+1)
	return r
}

// write writes messages through both stores until the returned function is called. Each author waits for
// the previous message.
func (r *removalRoom) write() (stop func()) {
	ctx, cancel := context.WithCancel(r.Context())
	var writing sync.WaitGroup
	ticker := time.NewTicker(time.Millisecond)
	for author := range 16 {
		writing.Go(func() {
			by := r.stores[author%2].AsRanked(streams.User{ID: account(0).ID, Name: fmt.Sprint("Author ", author)}, streams.Account)
			for ctx.Err() == nil {
				<-ticker.C
				if _, err := by.Append(ctx, r.room, streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: "x"}); err == nil {
					r.written.Add(1)
				}
			}
		})
	}
	return func() { cancel(); writing.Wait(); ticker.Stop() }
}

// change sets the role of account n. It retries while the outcome is unknown, as a client does.
func (r *removalRoom) change(n int, role streams.Role) streams.Entry {
	r.Helper()
	entry := streams.Entry{Kind: streams.MemberChanged, Key: uuid.NewString(), Member: account(n), Role: role}
	eventually(r, "a change of a member to succeed", func() bool {
		stored, err := asAccount(r.stores[n%2], 0).Append(context.Background(), r.room, entry)
		if err != nil && !errors.Is(err, streams.ErrUnavailable) {
			r.Fatal(err)
		}
		entry.ID = stored.Cursor.ID
		return err == nil
	})
	return entry
}

// follow follows the room as account n, on the server that does not remove the account.
func (r *removalRoom) follow(n int, from streams.From) *follower {
	r.Helper()
	return followAs(r.T, asAccount(r.stores[(n+1)%2], n), r.room, from)
}

// history returns all entries in Redis.
func (r *removalRoom) history() []streams.Entry {
	r.Helper()
	var all []streams.Entry
	f := followAs(r.T, asAccount(r.stores[0], 0), r.room, streams.After(streams.Cursor{}))
	last := r.change(0, streams.RoomModerator)
	f.readUntil("the end", func() bool { return len(f.entries) > 0 && f.entries[len(f.entries)-1].ID == last.ID })
	all = f.entries[f.afterState:]
	if stored := r.client.XLen(context.Background(), streams.RoomKey(r.room)).Val(); stored != int64(len(all)) {
		r.Fatalf("read %d entries, want the %d in Redis", len(all), stored)
	}
	return all
}

// expectEnd checks that the entries that account n received since its last state are consecutive in the history
// and end exactly at the removal.
func (r *removalRoom) expectEnd(n int, f *follower, removal streams.Entry, history []streams.Entry) {
	r.Helper()
	got := f.entries[f.afterState:]
	if f.closed != streams.Removed || len(got) == 0 {
		r.Errorf("account %d: closed %q after %d entries and states %v, want removed after some entries", n, f.closed, len(got), f.states)
		return
	}
	if last := got[len(got)-1]; last.Key != removal.Key {
		r.Errorf("account %d: the last entry is %v %q, want the removal %v", n, last.ID, last.Kind, removal.ID)
	}
	r.expectPart(n, got, history)
}

// expectPart checks that the entries are consecutive in the history.
func (r *removalRoom) expectPart(n int, got, history []streams.Entry) {
	r.Helper()
	if len(got) == 0 {
		return
	}
	first := slices.IndexFunc(history, func(entry streams.Entry) bool { return entry.ID == got[0].ID })
	if first < 0 {
		r.Errorf("account %d: entry %v is not in Redis", n, got[0].ID)
		return
	}
	for i, entry := range got {
		if first+i >= len(history) || history[first+i].ID != entry.ID {
			r.Errorf("account %d: entry %d is %v, which does not follow %v", n, i, entry.ID, got[max(0, i-1)].ID)
			return
		}
	}
}

// Members are removed one after another while others join. Each removed reader ends exactly at its own
// removal, and all other readers get everything.
func TestRemovedReadersEndAtTheirRemoval(t *testing.T) {
	t.Parallel()
	starts := map[string]func(r *removalRoom, n int) streams.From{
		"at the end": func(_ *removalRoom, n int) streams.From { return streams.Newest(n % 3 * 25) },
		"far behind": func(*removalRoom, int) streams.From { return streams.After(streams.Cursor{}) },
	}
	for name, from := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
				r := newRemovalRoom(t, backend.Client, streams.Options{Redis: backend.Redis})
				if name == "far behind" {
					fillRoom(t, backend.Client, r.room, 1500, func(int) string { return "old" })
				}
				stop := r.write()
				defer stop()
				var reading sync.WaitGroup
				leaving, joined := make(map[int]*follower), make(map[int]*follower)
				removals := make(map[int]streams.Entry)
				for n := 1; n <= removedReaders; n++ {
					f := r.follow(n, from(r, n))
					for len(f.states) == 0 { // unlike nextState, this reads nothing else
						f.next()
					}
					if name == "at the end" { // the others stop reading until they are removed
						reading.Go(func() { f.readUntil("the end", func() bool { return f.closed != "" }) })
					}
					leaving[n] = f
				}
				for n := 1; n <= removedReaders; n++ {
					r.awaitMessages()
					removals[n] = r.change(n, streams.NoRole)
					r.change(100+n, streams.Ordinary)
					joined[n] = r.follow(100+n, streams.After(streams.Cursor{}))
					joined[n].nextState()
				}
				if name == "far behind" {
					for _, f := range leaving {
						reading.Go(func() { f.readUntil("the end", func() bool { return f.closed != "" }) })
					}
				}
				reading.Wait()
				stop()
				history := r.history()
				t.Logf("%d entries", len(history))
				for n, f := range leaving {
					r.expectEnd(n, f, removals[n], history)
					f.expectSilence()
				}
				for n, f := range joined {
					f.readUntil("everything", func() bool { return f.cursor.ID == history[len(history)-1].ID })
					if f.closed != "" || len(f.entries) != len(history) {
						t.Errorf("account %d: got %d entries, closed %q, want all %d", 100+n, len(f.entries), f.closed, len(history))
					}
				}
			})
		})
	}
}

// expectSilence checks that the reader, which has ended, gets nothing more.
func (f *follower) expectSilence() {
	f.t.Helper()
	had, signals := len(f.entries), len(f.signals)
	f.readAvailable()
	if len(f.entries) > had || len(f.signals) > signals {
		f.t.Errorf("got %d entries and %d signals after the end, want none", len(f.entries)-had, len(f.signals)-signals)
	}
}

// A member who is removed and then added again reads everything, whether their reader ends in between or
// has not read the removal yet. If they are removed once more, their reader ends there.
func TestReadmittedReaders(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		r := newRemovalRoom(t, backend.Client, streams.Options{Redis: backend.Redis})
		fillRoom(t, backend.Client, r.room, 2000, func(int) string { return "old" })
		stop := r.write()
		defer stop()
		all := make([]*follower, removedReaders+1)
		removals := make([]streams.Entry, removedReaders+1)
		for n := 1; n <= removedReaders; n++ {
			all[n] = r.follow(n, streams.After(streams.Cursor{}))
			for len(all[n].states) == 0 { // unlike nextState, this reads nothing else
				all[n].next()
			}
		}
		for n := 1; n <= removedReaders; n++ {
			if n%3 == 0 { // reads while its role changes
				all[n].readAvailable()
			}
			r.change(n, streams.NoRole)
			r.awaitMessages()
			r.change(n, streams.Ordinary)
			if n%2 == 0 {
				r.awaitMessages()
				removals[n] = r.change(n, streams.NoRole)
			}
		}
		stop()
		history := r.history()
		for n := 1; n <= removedReaders; n++ {
			transcript := []streams.Entry{}
			end := history[len(history)-1].ID
			if n%2 == 0 {
				end = removals[n].ID
			}
			for f := all[n]; ; f = r.follow(n, streams.After(f.cursor)) {
				f.readUntil("the end", func() bool { return f.closed != "" || f.cursor.ID == end })
				transcript = append(transcript, f.entries...)
				if n%2 == 0 || f.closed == "" {
					break
				}
			}
			r.expectPart(n, transcript, history)
			last := transcript[len(transcript)-1].ID
			if n%2 != 0 && len(transcript) != len(history) || end.Before(last) {
				t.Errorf("account %d: got %d entries up to %v, want all up to %v", n, len(transcript), last, end)
			}
			if n%2 == 0 && n%3 != 0 && last != end {
				t.Errorf("account %d: got %d entries up to %v, want them up to the last removal %v", n, len(transcript), last, end)
			}
		}
	})
}
