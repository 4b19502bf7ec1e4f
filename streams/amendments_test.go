package streams_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

const (
	maxStateBytes = 8 << 10 // limit for the state of one message, which each amendment decodes and encodes
	manyEdits     = 6000
	manyReactors  = 20_000
)

// A message's state must not grow with its edits, and the last edit must cost Redis about as much as the
// first.
func TestCostOfManyEditsOfOneMessage(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	fx := newFixture(t, streams.Options{})
	of := fx.stored[3].Cursor.ID
	costs := fx.amendMany(of, manyEdits, func(i int) streams.Entry {
		return streams.Entry{Kind: streams.Edit, User: ada, Text: fmt.Sprint("edit ", i, "!")}
	})
	first, last := costs[0], costs[len(costs)-1]
	t.Logf("an edit took %.0f µs at first, %.0f µs after %d edits", first, last, manyEdits)
	if last > 5*first+50 {
		t.Errorf("after %d edits, an edit took %.0f µs, want at most %.0f µs", manyEdits, last, 5*first+50)
	}
	amend(t, fx.store, streams.Edit, of, "the last edit!")
	if got := page(t, fx.store, streams.PageQuery{Around: of, Limit: 1}); texts(got.Entries) != "the last edit!" {
		t.Errorf("page after the edits: got %q, want \"the last edit!\"", texts(got.Entries))
	}
	if got := page(t, fx.store, streams.PageQuery{Limit: 50}); len(got.Entries) != 10 || !got.Older.IsZero() {
		t.Errorf("newest page after the edits: got %d messages and Older %v, want all 10 messages", len(got.Entries), got.Older)
	}
	before := fx.cpuTime()
	amend(t, fx.store, streams.Delete, of, "")
	if took := fx.cpuTime() - before; took > 20*first+1000 {
		t.Errorf("the deletion took %.0f µs, want at most %.0f µs", took, 20*first+1000)
	}
	if all := dump(t, fx.Backend); strings.Contains(all, "!") {
		t.Error("the text of an edit is still in Redis after the deletion")
	}
}

// A message keeps only its newest edits. A reader must not report the erased ones as lost or trimmed.
func TestReaderResumesAmongErasedEdits(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis, MaxCount: 29})
		post(t, store, "lobby", "1")
		post(t, store, "lobby", "2")
		message := post(t, store, "lobby", "3").Cursor
		nextMillisecond()
		var edits []streams.Cursor
		for i := range 30 {
			edits = append(edits, amend(t, store, streams.Edit, message.ID, fmt.Sprint("edit ", i)).Cursor)
		}
		f := follow(t, store, "lobby", streams.After(message))
		if f.expect(20); f.entries[0].ID != edits[10].ID {
			t.Errorf("oldest edit kept: got %v, want %v", f.entries[0].ID, edits[10].ID)
		}
		for len(f.entries) < 30 { // the last append trims the first three messages
			post(t, store, "lobby", "later")
			f.expect(len(f.entries) + 1)
		}
		other := redistest.Open(t, streams.Options{Redis: backend.Redis}) // has no entries in memory
		for _, cursor := range []streams.Cursor{message, edits[0], edits[5], edits[9], edits[29]} {
			if got := follow(t, other, "lobby", streams.After(cursor)).nextState(); got.State != streams.Resumed {
				t.Errorf("follow after %v: got state %v, want resumed", cursor, got)
			}
		}
	})
}

func TestCostOfManyReactionsToOneMessage(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	fx := newFixture(t, streams.Options{})
	of := fx.stored[3].Cursor.ID
	costs := fx.amendMany(of, manyReactors, func(i int) streams.Entry {
		return streams.Entry{Kind: streams.React, User: streams.User{ID: reactor(i), Name: "R"}, Emoji: "👍", On: true}
	})
	first, last := costs[0], costs[len(costs)-1]
	t.Logf("a reaction took %.0f µs at first, %.0f µs after %d reactions", first, last, manyReactors)
	if last > 5*first+50 {
		t.Errorf("after %d reactions, a reaction took %.0f µs, want at most %.0f µs", manyReactors, last, 5*first+50)
	}
}

func reactor(i int) string { return uuid.NewSHA1(uuid.Nil, []byte(fmt.Sprint(i))).String() }

// amendMany appends count amendments of a message. For each tenth of them, it returns the average CPU
// time that an amendment cost Redis, in µs.
func (fx *fixture) amendMany(of streams.ID, count int, next func(int) streams.Entry) (costs []float64) {
	fx.Helper()
	tenth := count / 10
	for from := 0; from < count; from += tenth {
		before := fx.cpuTime()
		var sending sync.WaitGroup
		const authors = 32
		for author := range authors {
			sending.Go(func() {
				for i := from + author; i < from+tenth; i += authors {
					entry := next(i)
					entry.Key, entry.Of = uuid.NewString(), of
					if _, err := fx.store.As(entry.User).Append(context.Background(), "lobby", entry); err != nil {
						fx.Error(err)
						return
					}
				}
			})
		}
		sending.Wait()
		costs = append(costs, (fx.cpuTime()-before)/float64(tenth))
		size := fx.Client.HStrLen(context.Background(), lobbyKey+":amended", of.String()).Val()
		fx.Logf("after %d: %.0f µs, %d bytes", from+tenth, costs[len(costs)-1], size)
		if size > maxStateBytes {
			fx.Fatalf("after %d amendments, the message's state has %d bytes, want at most %d", from+tenth, size, maxStateBytes)
		}
	}
	return costs
}

// cpuTime returns the CPU time that Redis has used, in µs. Unlike elapsed time, it does not include the
// time of other processes.
func (fx *fixture) cpuTime() (micros float64) {
	fx.Helper()
	info, err := fx.Client.Info(context.Background(), "cpu").Result()
	if err != nil {
		fx.Fatal(err)
	}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			seconds, _ := strconv.ParseFloat(value, 64)
			micros += seconds * 1e6
		}
	}
	return micros
}

// The number of reactions must be exact, even if many users toggle them and the previous release wrote the
// message's state.
func TestReactionsOfManyUsersAreCounted(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		of := post(t, store, "lobby", "x").Cursor.ID
		want := map[string]map[string]bool{"👍": {}, "🎈": {}}
		var before []string // the state as the previous release wrote it
		for i := range 70 {
			before = append(before, strconv.Quote(reactor(i)))
			want["👍"][reactor(i)] = true
		}
		state := `{"r":{"👍":[` + strings.Join(before, ",") + `]}}`
		if err := backend.Client.HSet(ctx, lobbyKey+":amended", of.String(), state).Err(); err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range 600 {
			emoji, user, on := "👍", reactor(random.IntN(120)), random.IntN(3) > 0
			if random.IntN(4) == 0 {
				emoji = "🎈"
			}
			entry := streams.Entry{Kind: streams.React, Key: uuid.NewString(), Of: of, Emoji: emoji, On: on}
			if _, err := store.As(streams.User{ID: user, Name: "R"}).Append(ctx, "lobby", entry); err != nil {
				t.Fatal(err)
			}
			if want[emoji][user] = true; !on {
				delete(want[emoji], user)
			}
		}
		for i := range 120 {
			user := reactor(i)
			got, err := store.As(streams.User{ID: user}).Page(ctx, "lobby", streams.PageQuery{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			for emoji, users := range want {
				named, more := got.Entries[0].Reactions[emoji], got.Entries[0].MoreUsers[emoji]
				if len(named)+more != len(users) || slices.Contains(named, user) != users[user] {
					t.Fatalf("%s: got %d users named and %d more, want %d in total; user %d named: got %v, want %v",
						emoji, len(named), more, len(users), i, slices.Contains(named, user), users[user])
				}
			}
		}
		amend(t, store, streams.Delete, of, "")
		if fields := backend.Client.HKeys(ctx, lobbyKey+":amended").Val(); len(fields) != 1 {
			t.Errorf("after the deletion: got fields %q, want only the tombstone", fields)
		}
	})
}

func TestUsersWhoReactAreLimited(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		ctx := context.Background()
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		of := post(t, store, "lobby", "x").Cursor.ID
		state := []any{of.String(), `{"r":{"👍":["` + strings.Join(slices.Repeat([]string{"u"}, 50), `","`) + `"]},"m":{"👍":99999}}`}
		for list := range 256 {
			state = append(state, fmt.Sprintf("%v/%02x", of, list), strings.Repeat("\n👍 u\n", 4000))
		}
		if err := backend.Client.HSet(ctx, lobbyKey+":amended", state...).Err(); err != nil {
			t.Fatal(err)
		}
		entry := streams.Entry{Kind: streams.React, Key: uuid.NewString(), Of: of, Emoji: "👍", On: true}
		if _, err := store.As(ada).Append(ctx, "lobby", entry); !errors.Is(err, streams.ErrTooManyUsers) {
			t.Errorf("reaction of one user too many: got error %v, want ErrTooManyUsers", err)
		}
	})
}

func TestTrimRemovesReactors(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis, MaxCount: 100})
		of := post(t, store, "lobby", "x").Cursor.ID
		for i := range 60 {
			entry := streams.Entry{Kind: streams.React, Key: uuid.NewString(), Of: of, Emoji: "👍", On: true}
			if _, err := store.As(streams.User{ID: reactor(i), Name: "R"}).Append(context.Background(), "lobby", entry); err != nil {
				t.Fatal(err)
			}
		}
		for range 100 {
			post(t, store, "lobby", "y")
		}
		if n := backend.Client.HLen(context.Background(), lobbyKey+":amended").Val(); n > 0 {
			t.Errorf("got %d fields of a trimmed message, want 0", n)
		}
	})
}
