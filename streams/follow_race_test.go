package streams_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"burble/streams"
	"burble/streams/redistest"
)

// A reader looks up its position in its first read. It must not miss entries that any server stored between
// Follow and that read.
func TestFreshReaderGetsEntriesStoredAfterFollow(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := redistest.Open(t, streams.Options{Redis: backend.Redis}), redistest.Open(t, streams.Options{Redis: backend.Redis})
		for _, existing := range []int{0, 1, 5} {
			for _, newest := range []int{0, 1, 3, 50} {
				for name, prepare := range map[string]func(room string){
					"first":  func(string) {},
					"second": func(room string) { follow(t, here, room, streams.Newest(0)).nextState() },
					"cached": func(room string) { follow(t, here, room, streams.Newest(newest)).nextState() },
				} {
					for by, store := range map[string]*streams.Store{"here": here, "there": there} {
						room := fmt.Sprintf("%d-%d-%s-%s", existing, newest, name, by)
						for i := range existing {
							post(t, here, room, fmt.Sprint("old ", i))
						}
						prepare(room)
						f := follow(t, here, room, streams.Newest(newest))
						for i := range 5 {
							post(t, store, room, fmt.Sprint("new ", i))
						}
						f.readUntil("the last entry", func() bool { return len(f.entries) > 0 && f.entries[len(f.entries)-1].Text == "new 4" })
						if len(f.states) != 1 || f.states[0].State != streams.Fresh {
							t.Errorf("%s, %d entries, newest %d, stored %s: got states %+v, want fresh", name, existing, newest, by, f.states)
						}
						got := f.entries
						if len(got) < 5 || got[len(got)-5].Text != "new 0" {
							t.Errorf("%s, %d entries, newest %d, stored %s: got %q, want new 0 to new 4 last", name, existing, newest, by, texts(got))
						}
						if newest == 0 && len(got) > 5 {
							t.Errorf("%s, %d entries, stored %s: got %q, want no old entries", name, existing, by, texts(got))
						}
					}
				}
			}
		}
	})
}

func TestManyEntriesStoredRightAfterFollow(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		here, there := redistest.Open(t, streams.Options{Redis: backend.Redis}), redistest.Open(t, streams.Options{Redis: backend.Redis})
		post(t, here, "lobby", "old")
		f := follow(t, here, "lobby", streams.Newest(0))
		const authors, each = 64, 12
		appendAll(t, there, authors, each, func(int, int) bool { return true })
		f.expect(authors * each)
		if f.entries[0].Number != 2 {
			t.Errorf("first entry: got number %d, want 2", f.entries[0].Number)
		}
	})
}

func TestFollowedLastNumberMatchesLast(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		const authors = 4
		here, there := redistest.Open(t, streams.Options{Redis: backend.Redis}), redistest.Open(t, streams.Options{Redis: backend.Redis})
		first := post(t, there, "lobby", "first")
		ctx, stop := context.WithCancel(context.Background())
		var writing sync.WaitGroup
		for range authors {
			writing.Go(func() {
				for ctx.Err() == nil {
					post(t, there, "lobby", "more")
				}
			})
		}
		var followed []streams.Followed
		for i := range 60 {
			for _, from := range []streams.From{
				streams.Newest(0), streams.Newest(1), streams.Newest(50), streams.Newest(500),
				streams.After(first.Cursor), streams.After(streams.Cursor{}), streams.After(post(t, there, "lobby", "mine").Cursor),
			} {
				f := follow(t, here, "lobby", from)
				followed = append(followed, f.nextState())
				if i%2 == 0 {
					f.reader.Close() // so that the next reader is the first in the room
				}
			}
		}
		stop()
		writing.Wait()
		entries, err := backend.Client.XRange(context.Background(), lobbyKey, "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		numbers := make(map[string]string)
		for _, entry := range entries {
			numbers[entry.ID] = fmt.Sprint(entry.Values["n"])
		}
		wrong := 0
		for _, f := range followed {
			if number := numbers[f.Last.ID.String()]; number != fmt.Sprint(f.LastNumber) {
				if wrong++; wrong < 5 {
					t.Errorf("got %+v, want LastNumber %q", f, number)
				}
			}
		}
		t.Logf("%d of %d numbers were wrong", wrong, len(followed))
	})
}

// Even in a burst of activity, the first view of a new room must not read the activity of all other rooms.
func TestFirstViewsOfManyRoomsReadLittleActivity(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, streams.Options{})
	watcher := follow(t, fx.store, "lobby", streams.Newest(0))
	watcher.nextState()
	fx.expectNextMessage(watcher) // the tail is now reading new activity
	var waiting []*follower
	for i := 0; len(waiting) < 10; i++ {
		if room := fmt.Sprint("room-", i); streams.ActivityKey(room) == activityKey {
			waiting = append(waiting, follow(t, fx.store, room, streams.Newest(0)))
		}
	}
	fx.post(500)
	fx.expectNextMessage(watcher) // the tail has read all activity
	before := networkBytes(t, fx.Client, "output")
	for _, f := range waiting {
		f.nextState()
	}
	if got := (networkBytes(t, fx.Client, "output") - before) / len(waiting); got > 5000 {
		t.Errorf("each new room read %d bytes from Redis, want at most 5000", got)
	}
}
