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

// scaled returns count, or a fifth of it for miniredis, whose scripts are slow.
func scaled(backend redistest.Backend, count int) int {
	if backend.Real {
		return count
	}
	return count / 5
}

func TestPagesCoverRandomHistory(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		h := appendRandom(t, store, rand.New(rand.NewPCG(seed, 0)), scaled(backend, 1000))
		for _, limit := range []int{1, 7, 50, 500} {
			var backward, forward []streams.Entry
			at := page(t, store, streams.PageQuery{Limit: limit})
			for {
				backward = append(slices.Clone(at.Entries), backward...)
				if at.Older.IsZero() {
					break
				}
				at = page(t, store, streams.PageQuery{Before: at.Older, Limit: limit})
			}
			h.expect(t, fmt.Sprintf("backward, %d per page", limit), backward, h.messages)
			at = page(t, store, streams.PageQuery{After: streams.ID{Seq: 1}, Limit: limit})
			for {
				forward = append(forward, at.Entries...)
				if at.Newer.IsZero() {
					break
				}
				at = page(t, store, streams.PageQuery{After: at.Newer, Limit: limit})
			}
			h.expect(t, fmt.Sprintf("forward, %d per page", limit), forward, h.messages)
		}
		for i := 0; i < len(h.messages); i += 1 + len(h.messages)/40 {
			id := h.messages[i].ID
			for _, limit := range []int{1, 2, 9} {
				around := page(t, store, streams.PageQuery{Around: id, Limit: limit})
				from := max(0, i-limit/2)
				want := h.messages[from:min(len(h.messages), from+limit)]
				if from == 0 {
					want = h.messages[:min(len(h.messages), limit)]
				}
				h.expect(t, fmt.Sprintf("%d around %v", limit, id), around.Entries, want)
			}
			at := page(t, store, streams.PageQuery{At: id.Time(), Limit: 200}) // there may be many messages in that millisecond
			if !slices.ContainsFunc(at.Entries, func(e streams.Entry) bool { return e.ID == id }) {
				t.Errorf("page at the time of message %v: got %q, want the message on it", id, texts(at.Entries))
			}
		}
	})
}

func TestPageOfDeletedStream(t *testing.T) {
	t.Parallel()
	runFixtures(t, streams.Options{}, func(fx *fixture) {
		amend(fx, fx.store, streams.Delete, fx.stored[3].Cursor.ID, "")
		fx.do("DEL", lobbyKey)
		got := page(fx.T, fx.store, streams.PageQuery{Limit: 50})
		if len(got.Entries) > 0 || got.AsOf != (streams.Cursor{Epoch: "0"}) || !got.Older.IsZero() {
			t.Errorf("got %+v, want an empty page of an empty room", got)
		}
	})
}

// A client that reads a page and follows the room from AsOf must end up with the same messages as a later
// page.
func TestPageThenFollow(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		done := make(chan struct{})
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		go func() {
			defer close(done)
			appendRandom(t, store, rand.New(rand.NewPCG(seed, 1)), scaled(backend, 400))
		}()
		type seen struct {
			foldedRoom
			*follower
		}
		var all []*seen
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			old := page(t, store, streams.PageQuery{Limit: 500})
			s := &seen{follower: follow(t, store, "lobby", streams.After(old.AsOf))}
			for _, entry := range old.Entries {
				s.foldedRoom.fold(streams.Entry{ID: entry.ID, Kind: streams.Message})
				s.messages[len(s.messages)-1] = entry
			}
			s.nextState()
			all = append(all, s)
		}
		now := page(t, store, streams.PageQuery{Limit: 500})
		for i, s := range all {
			s.readUntil("the end", func() bool { return !s.follower.cursor.ID.Before(now.AsOf.ID) })
			for _, entry := range s.entries {
				s.fold(entry)
			}
			// A message may have been erased before the reader read it.
			want := slices.DeleteFunc(slices.Clone(now.Entries), func(e streams.Entry) bool {
				_, known := s.foldedRoom.at[e.ID]
				return e.Deleted && !known
			})
			s.foldedRoom.expect(t, fmt.Sprint("page ", i), s.messages, want)
		}
	})
}

func TestTombstonesKeepTheirPlace(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		var ids []streams.ID
		for i := range 6 {
			ids = append(ids, post(t, store, "lobby", fmt.Sprint(i)).Cursor.ID)
		}
		for i := range ids { // delete all of them, one at a time
			amend(t, store, streams.Delete, ids[[]int{0, 5, 2, 3, 1, 4}[i]], "")
			all := page(t, store, streams.PageQuery{Limit: 10})
			for j, entry := range all.Entries {
				if entry.ID != ids[j] || entry.Deleted != (entry.Text == "") || entry.Number != int64(j+1) || entry.User != ada {
					t.Fatalf("%d deleted, message %d: got %+v, want %v with number %d", i+1, j, entry, ids[j], j+1)
				}
			}
			if len(all.Entries) != 6 || !all.Older.IsZero() || !all.Newer.IsZero() {
				t.Fatalf("%d deleted: got %+v, want all 6 messages", i+1, all)
			}
			for j := range ids {
				one := page(t, store, streams.PageQuery{Around: ids[j], Limit: 1})
				if len(one.Entries) != 1 || one.Entries[0].ID != ids[j] {
					t.Fatalf("%d deleted, page around %v: got %+v, want only that message", i+1, ids[j], one)
				}
			}
		}
	})
}

func TestPageEdges(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		for _, query := range []streams.PageQuery{{}, {Before: streams.ID{Millis: 5}}, {After: streams.ID{Millis: 5}}, {Around: streams.ID{Millis: 5}}} {
			query.Limit = 5
			empty := page(t, store, query)
			if len(empty.Entries) != 0 || !empty.Older.IsZero() || !empty.Newer.IsZero() || empty.AsOf.String() != "0-0@0" {
				t.Errorf("Page(%+v) of a room that does not exist: got %+v, want no messages", query, empty)
			}
		}
		first := post(t, store, "lobby", "a").Cursor.ID
		last := post(t, store, "lobby", "b").Cursor.ID
		far := streams.ID{Millis: 1<<64 - 1, Seq: 1<<64 - 1}
		for name, test := range map[string]struct {
			query streams.PageQuery
			want  string
		}{
			"before the first":       {streams.PageQuery{Before: first}, ""},
			"before the last":        {streams.PageQuery{Before: last}, "a"},
			"before the least ID":    {streams.PageQuery{Before: streams.ID{Seq: 1}}, ""},
			"before the greatest ID": {streams.PageQuery{Before: far}, "a b"},
			"after the first":        {streams.PageQuery{After: first}, "b"},
			"after the last":         {streams.PageQuery{After: last}, ""},
			"after the greatest ID":  {streams.PageQuery{After: far}, ""},
			"around the greatest ID": {streams.PageQuery{Around: far}, "a b"},
			"at 1970":                {streams.PageQuery{At: time.Unix(0, 0)}, "a b"},
			"at a time before 1970":  {streams.PageQuery{At: time.Unix(-1e9, 0)}, "a b"},
			"at a time far ahead":    {streams.PageQuery{At: time.Unix(1e11, 0)}, "a b"},
		} {
			test.query.Limit = 5
			got := page(t, store, test.query)
			if texts(got.Entries) != test.want {
				t.Errorf("page %s: got %q, want %q", name, texts(got.Entries), test.want)
			}
			// Older and Newer are the cursors of the other messages, and zero if there are none.
			var older, newer string
			if !got.Older.IsZero() {
				older = texts(page(t, store, streams.PageQuery{Before: got.Older, Limit: 5}).Entries)
			}
			if !got.Newer.IsZero() {
				newer = texts(page(t, store, streams.PageQuery{After: got.Newer, Limit: 5}).Entries)
			}
			if all := strings.Fields(older + " " + test.want + " " + newer); !slices.Equal(all, []string{"a", "b"}) {
				t.Errorf("page %s: got %q, with %q before Older %v and %q after Newer %v; want \"a b\" in all", name, texts(got.Entries), older, got.Older, newer, got.Newer)
			}
			if !got.Older.IsZero() && older == "" || !got.Newer.IsZero() && newer == "" {
				t.Errorf("page %s: got an empty page before Older %v or after Newer %v, want no empty page", name, got.Older, got.Newer)
			}
		}
	})
}

func TestPagesPastManyErasures(t *testing.T) {
	t.Parallel()
	runFixtures(t, streams.Options{}, func(fx *fixture) {
		// The script adds 6,000 erased messages and their deletions after the tenth message.
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
		if err := fx.Client.Eval(context.Background(), script, keys).Err(); err != nil && err.Error() != "redis: nil" {
			fx.Fatal(err)
		}
		fx.post(1)
		for _, forward := range []bool{false, true} {
			found, pages := 0, 0
			at := page(fx.T, fx.store, streams.PageQuery{Limit: 500})
			if forward {
				at = page(fx.T, fx.store, streams.PageQuery{After: streams.ID{Seq: 1}, Limit: 500})
			}
			for ; ; pages++ {
				found += len(at.Entries)
				query := streams.PageQuery{Before: at.Older, Limit: 500}
				next := at.Older
				if forward {
					next, query = at.Newer, streams.PageQuery{After: at.Newer, Limit: 500}
				}
				if next.IsZero() || pages > 100 {
					break
				}
				at = page(fx.T, fx.store, query)
			}
			if found != 6011 || pages > 100 {
				fx.Errorf("forward %v: got %d messages on %d pages, want 6011 on at most 100", forward, found, pages)
			}
		}
	})
}
