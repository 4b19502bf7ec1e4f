package streams_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

// entries is fewer for miniredis, whose scripts take their time.
func entries(backend redistest.Backend, count int) int {
	if backend.Real {
		return count
	}
	return count / 5
}

func page(t *testing.T, store *streams.Store, where streams.Where) streams.Page {
	t.Helper()
	page, err := store.As(ada).Page(context.Background(), "lobby", where)
	if err != nil {
		t.Fatalf("%+v: %v", where, err)
	}
	return page
}

func TestWalkThroughARandomHistoryMeetsEachMessageOnce(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		h := live(t, store, rand.New(rand.NewPCG(seed, 0)), entries(backend, 1000))
		for _, limit := range []int{1, 7, 50, 500} {
			var back, forth []streams.Entry
			at := page(t, store, streams.Where{Limit: limit})
			for {
				back = append(slices.Clone(at.Entries), back...)
				if at.Older.IsZero() {
					break
				}
				at = page(t, store, streams.Where{Before: at.Older, Limit: limit})
			}
			h.check(t, fmt.Sprint("back by ", limit), back, h.messages)
			at = page(t, store, streams.Where{After: streams.ID{Seq: 1}, Limit: limit})
			for {
				forth = append(forth, at.Entries...)
				if at.Newer.IsZero() {
					break
				}
				at = page(t, store, streams.Where{After: at.Newer, Limit: limit})
			}
			h.check(t, fmt.Sprint("forth by ", limit), forth, h.messages)
		}
		for i := 0; i < len(h.messages); i += 1 + len(h.messages)/40 {
			id := h.messages[i].ID
			for _, limit := range []int{1, 2, 9} {
				around := page(t, store, streams.Where{Around: id, Limit: limit})
				from := max(0, i-limit/2)
				want := h.messages[from:min(len(h.messages), from+limit)]
				if from == 0 {
					want = h.messages[:min(len(h.messages), limit)]
				}
				h.check(t, fmt.Sprint("around ", id, " by ", limit), around.Entries, want)
			}
			at := page(t, store, streams.Where{At: id.Time(), Limit: 200}) // a millisecond may have many
			if !slices.ContainsFunc(at.Entries, func(e streams.Entry) bool { return e.ID == id }) {
				t.Errorf("at the time of %v: not on the page", id)
			}
		}
	})
}

func TestPageOfADeletedStreamIsThatOfNoRoom(t *testing.T) {
	t.Parallel()
	grounds(t, streams.Options{}, func(g *ground) {
		amend(g, g.store, streams.Delete, g.told[3].Cursor.ID, "")
		g.do("DEL", lobbyKey)
		got := page(g.T, g.store, streams.Where{Limit: 50})
		if len(got.Entries) > 0 || got.AsOf != (streams.Cursor{Epoch: "0"}) || !got.Older.IsZero() {
			t.Errorf("%+v", got)
		}
	})
}

// Whoever has a page and follows from its AsOf sees what a new page shows.
func TestPageAndWhatFollowsItIsTheRoom(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		done := make(chan struct{})
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		go func() {
			defer close(done)
			live(t, store, rand.New(rand.NewPCG(seed, 1)), entries(backend, 400))
		}()
		type seen struct {
			history
			*follower
		}
		var all []*seen
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			old := page(t, store, streams.Where{Limit: 500})
			s := &seen{follower: follow(t, store, "lobby", streams.After(old.AsOf))}
			for _, entry := range old.Entries {
				s.history.fold(streams.Entry{ID: entry.ID, Kind: streams.Message})
				s.messages[len(s.messages)-1] = entry
			}
			s.state()
			all = append(all, s)
		}
		now := page(t, store, streams.Where{Limit: 500})
		for i, s := range all {
			s.until("the end", func() bool { return !s.follower.at.ID.Before(now.AsOf.ID) })
			for _, entry := range s.all {
				s.fold(entry)
			}
			// A message erased before it was read by whoever was late is no gap.
			want := slices.DeleteFunc(slices.Clone(now.Entries), func(e streams.Entry) bool {
				_, known := s.history.at[e.ID]
				return e.Deleted && !known
			})
			s.check(t, fmt.Sprint("page ", i), s.messages, want)
		}
	})
}

func TestTombstonesStandWhereTheMessageStood(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		var ids []streams.ID
		for i := range 6 {
			ids = append(ids, say(t, store, "lobby", fmt.Sprint(i)).Cursor.ID)
		}
		for i, id := range ids { // the first, the last, some, all
			for _, victim := range []int{0, 5, 2, 3, 1, 4}[i : i+1] {
				amend(t, store, streams.Delete, ids[victim], "")
			}
			all := page(t, store, streams.Where{Limit: 10})
			for j, entry := range all.Entries {
				if entry.ID != ids[j] || entry.Deleted != (entry.Text == "") || entry.N != int64(j+1) || entry.User != ada {
					t.Fatalf("%d deleted, message %d: %+v", i+1, j, entry)
				}
			}
			if len(all.Entries) != 6 || !all.Older.IsZero() || !all.Newer.IsZero() {
				t.Fatalf("%d deleted: %+v", i+1, all)
			}
			for j := range ids {
				one := page(t, store, streams.Where{Around: ids[j], Limit: 1})
				if len(one.Entries) != 1 || one.Entries[0].ID != ids[j] {
					t.Fatalf("%d deleted, around %v: %+v", i+1, id, one)
				}
			}
		}
	})
}

func TestPagesAtTheEdges(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		for _, where := range []streams.Where{{}, {Before: streams.ID{Millis: 5}}, {After: streams.ID{Millis: 5}}, {Around: streams.ID{Millis: 5}}} {
			where.Limit = 5
			empty := page(t, store, where)
			if len(empty.Entries) != 0 || !empty.Older.IsZero() || !empty.Newer.IsZero() || empty.AsOf.String() != "0-0@0" {
				t.Errorf("of no room, %+v: %+v", where, empty)
			}
		}
		first := say(t, store, "lobby", "a").Cursor.ID
		last := say(t, store, "lobby", "b").Cursor.ID
		far := streams.ID{Millis: 1<<64 - 1, Seq: 1<<64 - 1}
		for name, ask := range map[string]struct {
			where streams.Where
			want  string
		}{
			"before the first":       {streams.Where{Before: first}, ""},
			"before the last":        {streams.Where{Before: last}, "a"},
			"before the very first":  {streams.Where{Before: streams.ID{Seq: 1}}, ""},
			"before the end of time": {streams.Where{Before: far}, "a b"},
			"after the first":        {streams.Where{After: first}, "b"},
			"after the last":         {streams.Where{After: last}, ""},
			"after the end of time":  {streams.Where{After: far}, ""},
			"around the end of time": {streams.Where{Around: far}, "a b"},
			"at the beginning":       {streams.Where{At: time.Unix(0, 0)}, "a b"},
			"before there was time":  {streams.Where{At: time.Unix(-1e9, 0)}, "a b"},
			"at the end of time":     {streams.Where{At: time.Unix(1e11, 0)}, "a b"},
		} {
			ask.where.Limit = 5
			got := page(t, store, ask.where)
			if texts(got.Entries) != ask.want {
				t.Errorf("%s: %q, want %q", name, texts(got.Entries), ask.want)
			}
			// What it says is beyond it is where the other messages are, and nothing is where it says so.
			var older, newer string
			if !got.Older.IsZero() {
				older = texts(page(t, store, streams.Where{Before: got.Older, Limit: 5}).Entries)
			}
			if !got.Newer.IsZero() {
				newer = texts(page(t, store, streams.Where{After: got.Newer, Limit: 5}).Entries)
			}
			if all := strings.Fields(older + " " + ask.want + " " + newer); !slices.Equal(all, []string{"a", "b"}) {
				t.Errorf("%s: older %v has %q, newer %v has %q", name, got.Older, older, got.Newer, newer)
			}
			if !got.Older.IsZero() && older == "" || !got.Newer.IsZero() && newer == "" {
				t.Errorf("%s: nothing is at older %v or newer %v", name, got.Older, got.Newer)
			}
		}
	})
}

func TestManyReactionsAndErasuresDoNotHideMessages(t *testing.T) {
	t.Parallel()
	grounds(t, streams.Options{}, func(g *ground) {
		// 6,000 erased messages between the tenth and one more, and as many reactions.
		const script = `
		local n = tonumber(redis.call('HGET', KEYS[2], 'n'))
		for i = 1, 6000 do
			local id = redis.call('XADD', KEYS[1], '*', 'kind', 'message', 'n', n + i, 'key', 'k', 'uid', 'u', 'name', 'E', 'text', 'x')
			redis.call('XDEL', KEYS[1], id)
			redis.call('ZADD', KEYS[4], string.match(id, '^%d+'), id)
			redis.call('HSET', KEYS[3], id, cjson.encode({d = '1-0', n = tostring(n + i), u = 'u'}))
			redis.call('XADD', KEYS[1], '*', 'kind', 'delete', 'n', n + 6000 + i, 'key', 'k', 'uid', 'u', 'of', id)
		end
		redis.call('HSET', KEYS[2], 'n', n + 12000)`
		keys := []string{lobbyKey, lobbyKey + ":meta", lobbyKey + ":amended", lobbyKey + ":erased"}
		if err := g.Client.Eval(context.Background(), script, keys).Err(); err != nil && err.Error() != "redis: nil" {
			g.Fatal(err)
		}
		g.say(1)
		for _, forth := range []bool{false, true} {
			found, pages := 0, 0
			at := page(g.T, g.store, streams.Where{Limit: 500})
			if forth {
				at = page(g.T, g.store, streams.Where{After: streams.ID{Seq: 1}, Limit: 500})
			}
			for ; ; pages++ {
				found += len(at.Entries)
				where := streams.Where{Before: at.Older, Limit: 500}
				on := at.Older
				if forth {
					on, where = at.Newer, streams.Where{After: at.Newer, Limit: 500}
				}
				if on.IsZero() || pages > 100 {
					break
				}
				at = page(g.T, g.store, where)
			}
			if found != 6011 || pages > 100 {
				g.Errorf("forth %v: %d messages on %d pages, want 6011", forth, found, pages)
			}
		}
	})
}
