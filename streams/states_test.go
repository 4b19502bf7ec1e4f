package streams_test

import (
	"context"
	"math"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

// postUntilTrimmed posts until all messages that were stored before are trimmed by age.
func (fx *fixture) postUntilTrimmed() {
	fx.Helper()
	last := fx.stored[len(fx.stored)-1].Cursor
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		fx.post(1)
		trimmed, _ := fx.Client.HGet(context.Background(), lobbyKey+":meta", "trimmed").Result()
		if id, err := streams.ParseID(trimmed); err == nil && !id.Before(last.ID) {
			return
		}
	}
	fx.Fatal("timed out waiting for a trim by age")
}

// A loss is a way to lose a room's entries, with the state and the number of entries that a reader must then receive.
type loss struct {
	name      string
	options   streams.Options
	happen    func(fx *fixture)
	state     streams.State
	wantCount int // number of entries that the reader receives; -1 means any number
}

func TestResumeAfterLoss(t *testing.T) {
	t.Parallel()
	for _, loss := range []loss{ // after a reader has read five of ten messages
		{"nothing", streams.Options{}, func(fx *fixture) {}, streams.Resumed, 5},
		{"trimmed by count", streams.Options{MaxCount: 20}, func(fx *fixture) { fx.post(20) }, streams.Truncated, -1},
		{"trimmed by count, before its cursor", streams.Options{MaxCount: 20}, func(fx *fixture) { fx.post(13) }, streams.Resumed, 18},
		{"trimmed by count, exactly to its cursor", streams.Options{MaxCount: 10}, func(fx *fixture) { fx.post(5) }, streams.Resumed, 10},
		{"trimmed by age", streams.Options{MaxAge: 100 * time.Millisecond}, (*fixture).postUntilTrimmed, streams.Truncated, -1},
		{"trimmed by hand", streams.Options{}, func(fx *fixture) { fx.do("XTRIM", lobbyKey, "MAXLEN", 3) }, streams.Truncated, 3},
		{"trimmed by hand after an automatic trim", streams.Options{MaxCount: 20}, func(fx *fixture) {
			fx.post(13)
			fx.do("XTRIM", lobbyKey, "MAXLEN", 4)
		}, streams.Truncated, 4},
		{"emptied by hand", streams.Options{}, func(fx *fixture) { fx.do("XTRIM", lobbyKey, "MAXLEN", 0) }, streams.Truncated, 0},
		{"stream deleted", streams.Options{}, func(fx *fixture) { fx.do("DEL", lobbyKey) }, streams.Reset, 0},
		{"stream deleted, then a message", streams.Options{}, func(fx *fixture) { fx.do("DEL", lobbyKey); nextMillisecond(); fx.post(1) }, streams.Reset, 1},
		{"flushed", streams.Options{}, func(fx *fixture) { fx.DoOnEach(fx, "FLUSHALL") }, streams.Reset, 0},
		{"flushed, then many messages", streams.Options{}, func(fx *fixture) { fx.DoOnEach(fx, "FLUSHALL"); nextMillisecond(); fx.post(60) }, streams.Reset, 50},
		{"its last message deleted", streams.Options{}, func(fx *fixture) {
			amend(fx, fx.store, streams.Delete, fx.stored[4].Cursor.ID, "")
		}, streams.Resumed, 6},
		{"its last message deleted, then trimmed by hand", streams.Options{}, func(fx *fixture) {
			amend(fx, fx.store, streams.Delete, fx.stored[4].Cursor.ID, "")
			fx.do("XTRIM", lobbyKey, "MAXLEN", 3)
		}, streams.Truncated, 3},
		{"all its messages deleted", streams.Options{}, func(fx *fixture) {
			for _, stored := range fx.stored[:5] {
				amend(fx, fx.store, streams.Delete, stored.Cursor.ID, "")
			}
		}, streams.Resumed, 10},
	} {
		t.Run(loss.name, func(t *testing.T) {
			t.Parallel()
			runFixtures(t, loss.options, func(fx *fixture) {
				cursor := fx.stored[4].Cursor
				loss.happen(fx)
				loss.expect(fx, cursor)
				loss.expect(fx, streams.Cursor{ID: cursor.ID})
			})
		})
	}
}

func (l loss) expect(fx *fixture, cursor streams.Cursor) {
	fx.Helper()
	f := follow(fx.T, fx.store, "lobby", streams.After(cursor))
	got := f.nextState()
	if got.State != l.state {
		fx.Fatalf("follow after %v: got state %v, want %v", cursor, got, l.state)
	}
	if l.state == streams.Truncated {
		if got.First != got.At || !cursor.ID.Before(got.First.ID) {
			fx.Errorf("follow after %v: got At %v and First %v, want them equal and later", cursor, got.At, got.First)
		}
		again := follow(fx.T, fx.store, "lobby", streams.After(got.First))
		if second := again.nextState(); second.State != streams.Resumed || second.At != got.First {
			fx.Errorf("follow after First: got state %v, want resumed at %v", second, got.First)
		}
	}
	if l.wantCount >= 0 {
		f.expect(l.wantCount)
	}
}

func TestCaughtUpReaderIsReset(t *testing.T) {
	t.Parallel()
	for _, loss := range []loss{
		{"stream deleted", streams.Options{}, func(fx *fixture) { fx.do("DEL", lobbyKey) }, streams.Reset, 0},
		{"stream deleted, then a message", streams.Options{}, func(fx *fixture) { fx.do("DEL", lobbyKey); nextMillisecond(); fx.post(1) }, streams.Reset, 1},
		{"flushed", streams.Options{}, func(fx *fixture) { fx.DoOnEach(fx, "FLUSHALL") }, streams.Reset, 0},
		{"flushed, then a message", streams.Options{}, func(fx *fixture) { fx.DoOnEach(fx, "FLUSHALL"); nextMillisecond(); fx.post(1) }, streams.Reset, 1},
		{"flushed, scripts too, then many messages", streams.Options{}, func(fx *fixture) {
			fx.DoOnEach(fx, "FLUSHALL")
			fx.DoOnEach(fx, "SCRIPT", "FLUSH")
			fx.post(60)
		}, streams.Reset, -1},
	} {
		t.Run(loss.name, func(t *testing.T) {
			t.Parallel()
			runFixtures(t, loss.options, func(fx *fixture) {
				f := follow(fx.T, fx.store, "lobby", streams.Newest(50))
				f.expect(10)
				f.entries = nil
				loss.happen(fx)
				if got := f.nextState(); got.State != loss.state {
					fx.Fatalf("got state %v, want %v", got, loss.state)
				}
				if loss.wantCount >= 0 {
					f.expect(loss.wantCount)
				}
				fx.expectNextMessage(f)
				if len(f.states) != 2 {
					fx.Errorf("got states %v, want two", f.states)
				}
			})
		})
	}
}

// Some hosts do not allow XINFO STREAM. Everything must work there too, and readers must be notified of every
// loss, even if readers that missed nothing then get the state truncated as well.
func TestEmptiedRoomWithoutXINFO(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--rename-command", "XINFO", "")
	client := server.Client()
	t.Cleanup(func() { client.Close() })
	for name, look := range map[string]func(fx *fixture){
		"appended to": func(fx *fixture) {},
		"read first": func(fx *fixture) {
			loss{state: streams.Truncated, wantCount: 0}.expect(fx, fx.stored[5].Cursor)
		},
	} {
		t.Run(name, func(t *testing.T) {
			client.FlushAll(t.Context())
			fx := newFixtureOn(t, redistest.Backend{Real: true, Redis: server.Redis(), Client: client}, streams.Options{})
			nextMillisecond()
			fx.do("XTRIM", lobbyKey, "MAXLEN", 0)
			look(fx)
			if err := tryPost(fx.store, "lobby", "after"); err != nil {
				t.Fatal(err)
			}
			f := follow(t, fx.store, "lobby", streams.After(fx.stored[5].Cursor))
			if got := f.nextState(); got.State != streams.Truncated {
				t.Errorf("got state %v, want truncated", got)
			}
			f.expect(1)
			fx.expectNextMessage(f)
		})
	}
}

func TestSlowReaderAfterLoss(t *testing.T) {
	t.Parallel()
	for _, loss := range []loss{ // while a reader catches up with 1,100 messages
		{"nothing", streams.Options{}, func(fx *fixture) {}, streams.Resumed, 1100},
		{"trimmed by count", streams.Options{MaxCount: 1000}, func(fx *fixture) { fx.post(700) }, streams.Truncated, -1},
		{"trimmed by age", streams.Options{}, func(fx *fixture) {
			// Another server starts to trim while the reader catches up.
			fx.store = redistest.Open(fx, streams.Options{Redis: fx.Redis, MaxAge: 100 * time.Millisecond})
			fx.postUntilTrimmed()
		}, streams.Truncated, -1},
		{"trimmed by hand", streams.Options{}, func(fx *fixture) { fx.do("XTRIM", lobbyKey, "MAXLEN", 100) }, streams.Truncated, 600},
		{"emptied by hand", streams.Options{}, func(fx *fixture) { fx.do("XTRIM", lobbyKey, "MAXLEN", 0) }, streams.Truncated, 500},
		{"stream deleted", streams.Options{}, func(fx *fixture) { fx.do("DEL", lobbyKey) }, streams.Reset, 500},
		{"flushed, then a message", streams.Options{}, func(fx *fixture) { fx.DoOnEach(fx, "FLUSHALL"); nextMillisecond(); fx.post(1) }, streams.Reset, 501},
	} {
		t.Run(loss.name, func(t *testing.T) {
			t.Parallel()
			runFixtures(t, loss.options, func(fx *fixture) {
				fx.post(1090)
				f := follow(fx.T, fx.store, "lobby", streams.After(streams.Cursor{}))
				for len(f.entries) == 0 {
					f.next()
				}
				if len(f.entries) != 500 || f.states[0].State != streams.Resumed {
					fx.Fatalf("first read: got %d entries and states %v, want 500 and resumed", len(f.entries), f.states)
				}
				loss.happen(fx)
				if loss.state != streams.Resumed {
					if got := f.nextState(); got.State != loss.state {
						fx.Fatalf("got state %v, want %v", got, loss.state)
					}
				}
				if loss.wantCount >= 0 {
					f.expect(loss.wantCount)
				}
				fx.expectNextMessage(f)
			})
		})
	}
}

// If an operator removes the last entry of a room, the next reader detects it.
func TestLastEntryRemovedByHand(t *testing.T) {
	t.Parallel()
	runFixtures(t, streams.Options{}, func(fx *fixture) {
		near := follow(fx.T, fx.store, "lobby", streams.Newest(0))
		near.nextState()
		fx.do("XDEL", lobbyKey, fx.stored[9].Cursor.ID.String())
		follow(fx.T, fx.store, "lobby", streams.After(fx.stored[2].Cursor)).expect(6)
		follow(fx.T, fx.store, "lobby", streams.Newest(50)).expect(9)
		if got := near.nextState(); got.State != streams.Reset {
			fx.Errorf("reader of the removed entry: got state %v, want reset", got)
		}
	})
}

func TestInvalidCursors(t *testing.T) {
	t.Parallel()
	runFixtures(t, streams.Options{}, func(fx *fixture) {
		first, last := fx.stored[0].Cursor, fx.stored[9].Cursor
		other := "AAAAAAAAAAAA"
		for name, test := range map[string]struct {
			cursor streams.Cursor
			state  streams.State
			left   int
		}{
			"the beginning, any epoch":         {streams.Cursor{}, streams.Resumed, 10},
			"the beginning of an empty room":   {streams.Cursor{Epoch: "0"}, streams.Resumed, 10},
			"the beginning of this history":    {streams.Cursor{Epoch: last.Epoch}, streams.Resumed, 10},
			"the beginning of another history": {streams.Cursor{Epoch: other}, streams.Reset, 10},
			"an entry of another history":      {streams.Cursor{ID: last.ID, Epoch: other}, streams.Reset, 10},
			"above the last entry":             {streams.Cursor{ID: streams.ID{Millis: last.ID.Millis + 1}, Epoch: last.Epoch}, streams.Reset, 10},
			"the greatest ID":                  {streams.Cursor{ID: streams.ID{Millis: math.MaxUint64, Seq: math.MaxUint64}}, streams.Reset, 10},
			"just before the first entry":      {streams.Cursor{ID: streams.ID{Millis: first.ID.Millis - 1}, Epoch: last.Epoch}, streams.Reset, 10},
			"long before the first entry":      {streams.Cursor{ID: streams.ID{Millis: 1}}, streams.Reset, 10},
			"between two entries":              {streams.Cursor{ID: streams.ID{Millis: first.ID.Millis, Seq: 1 << 40}}, streams.Reset, 10},
		} {
			f := follow(fx.T, fx.store, "lobby", streams.After(test.cursor))
			if got := f.nextState(); got.State != test.state {
				fx.Errorf("%s, %v: got state %v, want %v", name, test.cursor, got, test.state)
			}
			f.expect(test.left)
		}
		// An invalid cursor must not affect other readers.
		if fx.Client.HExists(context.Background(), lobbyKey+":meta", "trimmed").Val() {
			fx.Error("Redis has a record of a trim, want none for an intact room")
		}
	})
}

func TestBeginningOfTrimmedRoom(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(fx *fixture){
		"by count":   func(fx *fixture) { fx.post(20) },
		"by hand":    func(fx *fixture) { fx.do("XTRIM", lobbyKey, "MAXLEN", 3) },
		"to nothing": func(fx *fixture) { fx.do("XTRIM", lobbyKey, "MAXLEN", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runFixtures(t, streams.Options{MaxCount: 10}, func(fx *fixture) {
				epoch := fx.stored[0].Cursor.Epoch
				happen(fx)
				for _, cursor := range []streams.Cursor{{}, {Epoch: "0"}, {Epoch: epoch}} {
					loss{state: streams.Truncated, wantCount: -1}.expect(fx, cursor)
				}
			})
		})
	}
}
