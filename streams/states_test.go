package streams_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// lobbyKey is where the tests' room is: what DESIGN.md promises of the key names.
var lobbyKey = streams.RoomKey("lobby")

// ground is a real Redis, or a Cluster, with a Store and a room of ten messages.
type ground struct {
	*testing.T
	redistest.Backend
	store *streams.Store
	told  []streams.Stored
}

// newGround is on one Redis.
func newGround(t *testing.T, options streams.Options) *ground {
	t.Helper()
	return groundOn(t, redistest.One(t), options)
}

func groundOn(t *testing.T, backend redistest.Backend, options streams.Options) *ground {
	t.Helper()
	options.Redis = backend.Redis
	g := &ground{T: t, Backend: backend, store: redistest.Open(t, options)}
	g.say(10)
	return g
}

// grounds runs the body on one Redis, and on a Cluster.
func grounds(t *testing.T, options streams.Options, body func(g *ground)) {
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		body(groundOn(t, backend, options))
	})
}

func (g *ground) say(count int) {
	g.Helper()
	for range count {
		g.told = append(g.told, say(g, g.store, "lobby", fmt.Sprint(len(g.told))))
	}
}

// later waits for another millisecond: a message could have the ID of one that was lost.
func (g *ground) later() { time.Sleep(2 * time.Millisecond) }

func (g *ground) do(args ...any) {
	g.Helper()
	if err := g.Client.Do(context.Background(), args...).Err(); err != nil {
		g.Fatalf("%v: %v", args, err)
	}
}

// beforeDelete lets the millisecond pass: miniredis would number on in it from what is
// left, and not from what was erased as Redis does.
func beforeDelete() { time.Sleep(time.Millisecond) }

// amend appends an edit, a reaction or a delete of Ada's.
func amend(t testing.TB, store *streams.Store, kind streams.Kind, of streams.ID, text string) streams.Stored {
	t.Helper()
	if kind == streams.Delete {
		beforeDelete()
	}
	entry := streams.Entry{Kind: kind, Key: uuid.NewString(), User: ada, Of: of, Text: text}
	if kind == streams.React {
		entry.Emoji, entry.On, entry.Text = text, true, ""
	}
	stored, err := store.As(entry.User).Append(context.Background(), "lobby", entry)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// trimmedByAge says more until the room has forgotten what was said before.
func (g *ground) trimmedByAge() {
	g.Helper()
	last := g.told[len(g.told)-1].Cursor
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		g.say(1)
		trimmed, _ := g.Client.HGet(context.Background(), lobbyKey+":meta", "trimmed").Result()
		if id, err := streams.ParseID(trimmed); err == nil && !id.Before(last.ID) {
			return
		}
	}
	g.Fatal("nothing was trimmed by age")
}

// A loss is what may happen to a room, and what is told to a reader of it.
type loss struct {
	name    string
	options streams.Options
	happen  func(g *ground)
	state   streams.State
	left    int // entries that the reader gets; -1: some
}

func TestResumeAfterALoss(t *testing.T) {
	t.Parallel()
	for _, loss := range []loss{ // of a reader who has read five messages of ten
		{"nothing", streams.Options{}, func(g *ground) {}, streams.Resumed, 5},
		{"trimmed by count", streams.Options{MaxCount: 20}, func(g *ground) { g.say(20) }, streams.Truncated, -1},
		{"trimmed by count, not as far", streams.Options{MaxCount: 20}, func(g *ground) { g.say(13) }, streams.Resumed, 18},
		{"trimmed by count, through its cursor exactly", streams.Options{MaxCount: 10}, func(g *ground) { g.say(5) }, streams.Resumed, 10},
		{"trimmed by age", streams.Options{MaxAge: 100 * time.Millisecond}, (*ground).trimmedByAge, streams.Truncated, -1},
		{"trimmed by hand", streams.Options{}, func(g *ground) { g.do("XTRIM", lobbyKey, "MAXLEN", 3) }, streams.Truncated, 3},
		{"trimmed by hand after a retention did", streams.Options{MaxCount: 20}, func(g *ground) {
			g.say(13)
			g.do("XTRIM", lobbyKey, "MAXLEN", 4)
		}, streams.Truncated, 4},
		{"emptied by hand", streams.Options{}, func(g *ground) { g.do("XTRIM", lobbyKey, "MAXLEN", 0) }, streams.Truncated, 0},
		{"stream deleted", streams.Options{}, func(g *ground) { g.do("DEL", lobbyKey) }, streams.Reset, 0},
		{"stream deleted, then a message", streams.Options{}, func(g *ground) { g.do("DEL", lobbyKey); g.later(); g.say(1) }, streams.Reset, 1},
		{"flushed", streams.Options{}, func(g *ground) { g.Each(g, "FLUSHALL") }, streams.Reset, 0},
		{"flushed, then many messages", streams.Options{}, func(g *ground) { g.Each(g, "FLUSHALL"); g.later(); g.say(60) }, streams.Reset, 50},
		{"its message deleted", streams.Options{}, func(g *ground) {
			amend(g, g.store, streams.Delete, g.told[4].Cursor.ID, "")
		}, streams.Resumed, 6},
		{"everything up to it deleted", streams.Options{}, func(g *ground) {
			for _, stored := range g.told[:5] {
				amend(g, g.store, streams.Delete, stored.Cursor.ID, "")
			}
		}, streams.Resumed, 10},
	} {
		t.Run(loss.name, func(t *testing.T) {
			t.Parallel()
			grounds(t, loss.options, func(g *ground) {
				cursor := g.told[4].Cursor
				loss.happen(g)
				loss.check(g, cursor)
				loss.check(g, streams.Cursor{ID: cursor.ID})
			})
		})
	}
}

func (l loss) check(g *ground, cursor streams.Cursor) {
	g.Helper()
	f := follow(g.T, g.store, "lobby", streams.After(cursor))
	got := f.state()
	if got.State != l.state {
		g.Fatalf("after %v: %v, want %v", cursor, got, l.state)
	}
	if l.state == streams.Truncated {
		if got.First != got.At || !cursor.ID.Before(got.First.ID) {
			g.Errorf("truncated at %v, first %v, asked %v", got.At, got.First, cursor)
		}
		again := follow(g.T, g.store, "lobby", streams.After(got.First))
		if second := again.state(); second.State != streams.Resumed || second.At != got.First {
			g.Errorf("following its first: %v", second)
		}
	}
	if l.left >= 0 {
		f.has(l.left)
	}
}

func TestReaderThatIsUpToDateIsToldThatItsHistoryIsGone(t *testing.T) {
	t.Parallel()
	for _, loss := range []loss{
		{"stream deleted", streams.Options{}, func(g *ground) { g.do("DEL", lobbyKey) }, streams.Reset, 0},
		{"stream deleted, then a message", streams.Options{}, func(g *ground) { g.do("DEL", lobbyKey); g.later(); g.say(1) }, streams.Reset, 1},
		{"flushed", streams.Options{}, func(g *ground) { g.Each(g, "FLUSHALL") }, streams.Reset, 0},
		{"flushed, then a message", streams.Options{}, func(g *ground) { g.Each(g, "FLUSHALL"); g.later(); g.say(1) }, streams.Reset, 1},
		{"flushed, scripts too, then many messages", streams.Options{}, func(g *ground) {
			g.Each(g, "FLUSHALL")
			g.Each(g, "SCRIPT", "FLUSH")
			g.say(60)
		}, streams.Reset, -1},
	} {
		t.Run(loss.name, func(t *testing.T) {
			t.Parallel()
			grounds(t, loss.options, func(g *ground) {
				f := follow(g.T, g.store, "lobby", streams.Newest(50))
				f.has(10)
				f.all = nil
				loss.happen(g)
				if got := f.state(); got.State != loss.state {
					g.Fatalf("told %v, want %v", got, loss.state)
				}
				if loss.left >= 0 {
					f.has(loss.left)
				}
				g.goesOn(f)
				if len(f.states) != 2 {
					g.Errorf("told more than once: %v", f.states)
				}
			})
		})
	}
}

// goesOn says something and waits until the reader has it.
func (g *ground) goesOn(f *follower) {
	g.Helper()
	g.say(1)
	last := g.told[len(g.told)-1].Cursor
	f.until("what comes after it", func() bool {
		return len(f.all) > 0 && f.all[len(f.all)-1].ID == last.ID
	})
}

func TestReaderThatIsUpToDateMissesNothingByATrim(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(g *ground){
		"by count":   func(g *ground) {},
		"by hand":    func(g *ground) { g.do("XTRIM", lobbyKey, "MAXLEN", 2) },
		"to nothing": func(g *ground) { g.do("XTRIM", lobbyKey, "MAXLEN", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			grounds(t, streams.Options{MaxCount: 10}, func(g *ground) {
				f := follow(g.T, g.store, "lobby", streams.Newest(50))
				for have := 10; have <= 40; have += 5 {
					f.has(have)
					happen(g)
					g.say(5)
				}
				f.has(45)
				if len(f.states) != 1 {
					g.Errorf("told %v", f.states)
				}
			})
		})
	}
}

func TestRoomThatSomebodyEmptiedGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	grounds(t, streams.Options{}, func(g *ground) {
		last := len(g.told) - 1
		end := g.told[last].Cursor
		g.do("XTRIM", lobbyKey, "MAXLEN", 0)
		g.say(2)
		all := follow(g.T, g.store, "lobby", streams.After(end))
		if got := all.state(); got.State != streams.Resumed {
			g.Errorf("from its end: %v", got)
		}
		all.has(2)
		some := follow(g.T, g.store, "lobby", streams.After(g.told[last-1].Cursor))
		if got := some.state(); got.State != streams.Truncated || got.First != end {
			g.Errorf("from before its end, %v: %v", end, got)
		}
		some.has(2)
	})
}

func TestSlowReaderIsToldOfALoss(t *testing.T) {
	t.Parallel()
	for _, loss := range []loss{ // of a reader who makes its way through 1,100 messages
		{"nothing", streams.Options{}, func(g *ground) {}, streams.Resumed, 1100},
		{"trimmed by count", streams.Options{MaxCount: 1000}, func(g *ground) { g.say(700) }, streams.Truncated, -1},
		{"trimmed by age", streams.Options{}, func(g *ground) {
			// By another server, which begins to forget when the reader is on its way.
			g.store = redistest.Open(g, streams.Options{Redis: g.Redis, MaxAge: 100 * time.Millisecond})
			g.trimmedByAge()
		}, streams.Truncated, -1},
		{"trimmed by hand", streams.Options{}, func(g *ground) { g.do("XTRIM", lobbyKey, "MAXLEN", 100) }, streams.Truncated, 600},
		{"emptied by hand", streams.Options{}, func(g *ground) { g.do("XTRIM", lobbyKey, "MAXLEN", 0) }, streams.Truncated, 500},
		{"stream deleted", streams.Options{}, func(g *ground) { g.do("DEL", lobbyKey) }, streams.Reset, 500},
		{"flushed, then a message", streams.Options{}, func(g *ground) { g.Each(g, "FLUSHALL"); g.later(); g.say(1) }, streams.Reset, 501},
	} {
		t.Run(loss.name, func(t *testing.T) {
			t.Parallel()
			grounds(t, loss.options, func(g *ground) {
				g.say(1090)
				f := follow(g.T, g.store, "lobby", streams.After(streams.Cursor{}))
				for len(f.all) == 0 {
					f.step()
				}
				if len(f.all) != 500 || f.states[0].State != streams.Resumed {
					g.Fatalf("at first %d entries, %v", len(f.all), f.states)
				}
				loss.happen(g)
				if loss.state != streams.Resumed {
					if got := f.state(); got.State != loss.state {
						g.Fatalf("told %v, want %v", got, loss.state)
					}
				}
				if loss.left >= 0 {
					f.has(loss.left)
				}
				g.goesOn(f)
			})
		})
	}
}

// Nobody should remove entries by hand. Who does it at the end of a room is noticed when
// the next reader comes.
func TestReaderComesThoughTheRoomsEndWasRemovedByHand(t *testing.T) {
	t.Parallel()
	grounds(t, streams.Options{}, func(g *ground) {
		near := follow(g.T, g.store, "lobby", streams.Newest(0))
		near.state()
		g.do("XDEL", lobbyKey, g.told[9].Cursor.ID.String())
		follow(g.T, g.store, "lobby", streams.After(g.told[2].Cursor)).has(6)
		follow(g.T, g.store, "lobby", streams.Newest(50)).has(9)
		if got := near.state(); got.State != streams.Reset {
			g.Errorf("who has what was removed is told %v", got)
		}
	})
}

func TestPlacesThatAreNone(t *testing.T) {
	t.Parallel()
	grounds(t, streams.Options{}, func(g *ground) {
		first, last := g.told[0].Cursor, g.told[9].Cursor
		other := "AAAAAAAAAAAA"
		for name, ask := range map[string]struct {
			cursor streams.Cursor
			state  streams.State
			left   int
		}{
			"the beginning":                    {streams.Cursor{}, streams.Resumed, 10},
			"the beginning of no history yet":  {streams.Cursor{Epoch: "0"}, streams.Resumed, 10},
			"the beginning of this history":    {streams.Cursor{Epoch: last.Epoch}, streams.Resumed, 10},
			"the beginning of another history": {streams.Cursor{Epoch: other}, streams.Reset, 10},
			"an entry of another history":      {streams.Cursor{ID: last.ID, Epoch: other}, streams.Reset, 10},
			"above the last":                   {streams.Cursor{ID: streams.ID{Millis: last.ID.Millis + 1}, Epoch: last.Epoch}, streams.Reset, 10},
			"far above the last":               {streams.Cursor{ID: streams.ID{Millis: math.MaxUint64, Seq: math.MaxUint64}}, streams.Reset, 10},
			"just before the first":            {streams.Cursor{ID: streams.ID{Millis: first.ID.Millis - 1}, Epoch: last.Epoch}, streams.Reset, 10},
			"long before the first":            {streams.Cursor{ID: streams.ID{Millis: 1}}, streams.Reset, 10},
			"between two entries":              {streams.Cursor{ID: streams.ID{Millis: first.ID.Millis, Seq: 1 << 40}}, streams.Reset, 10},
		} {
			f := follow(g.T, g.store, "lobby", streams.After(ask.cursor))
			if got := f.state(); got.State != ask.state {
				g.Errorf("%s, %v: %v, want %v", name, ask.cursor, got, ask.state)
			}
			f.has(ask.left)
		}
		// Whatever was asked, nobody else's history is shorter for it.
		if g.Client.HExists(context.Background(), lobbyKey+":meta", "trimmed").Val() {
			g.Error("a trimming was recorded for an intact room")
		}
	})
}

func TestTheBeginningOfATrimmedRoomIsTruncated(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(g *ground){
		"by count":   func(g *ground) { g.say(20) },
		"by hand":    func(g *ground) { g.do("XTRIM", lobbyKey, "MAXLEN", 3) },
		"to nothing": func(g *ground) { g.do("XTRIM", lobbyKey, "MAXLEN", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			grounds(t, streams.Options{MaxCount: 10}, func(g *ground) {
				epoch := g.told[0].Cursor.Epoch
				happen(g)
				for _, cursor := range []streams.Cursor{{}, {Epoch: "0"}, {Epoch: epoch}} {
					loss{state: streams.Truncated, left: -1}.check(g, cursor)
				}
			})
		})
	}
}
