package streams_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

// A pair is a primary and its former replica behind one address. The primary has ten messages in the lobby,
// and the replica has the first eight.
type pair struct {
	*fixture
	primary, replica *redistest.Server
	proxy            *redistest.Proxy
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{fixture: &fixture{T: t}, primary: startPrimary(t)}
	p.Client = clientOf(t, p.primary)
	p.replica = redistest.StartTCP(t, replicaArgs(t, p.primary)...)
	p.proxy = redistest.StartProxy(t, p.primary.Addr)
	p.Redis = &conns.Address{Addrs: []string{p.proxy.Addr}}
	p.store = redistest.Open(t, streams.Options{Redis: p.Redis})
	p.post(8)
	second := clientOf(t, p.replica)
	eventually(t, "the replica to have eight messages", func() bool {
		return second.XLen(context.Background(), lobbyKey).Val() == 8
	})
	if err := second.Do(context.Background(), "REPLICAOF", "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	p.post(2)
	return p
}

// failOver routes the address to the replica.
func (p *pair) failOver() {
	p.Client = clientOf(p.T, p.replica)
	p.stored = p.stored[:8]
	p.proxy.Reroute(p.replica.Addr)
}

// appendWithSlowClock appends a message as a new primary with a slow clock would. Its ID is after the
// eighth message, and before the messages that only the old primary had.
func (p *pair) appendWithSlowClock(seq uint64) {
	id := p.stored[7].Cursor.ID
	id.Seq += seq
	n := 8 + int(seq)
	p.do("XADD", lobbyKey, id.String(), "kind", "message", "n", n, "key", "k", "uid", "u", "name", "Eve", "text", "slow")
	p.do("HSET", lobbyKey+":meta", "n", n)
	p.do("XADD", activityKey, "*", "room", "lobby", "at", id.String()+"@"+p.stored[7].Cursor.Epoch)
}

func TestFailoverLosingEntriesResets(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]struct {
		happen func(p *pair)
		left   int
	}{
		"no later message":             {func(p *pair) { p.failOver() }, 8},
		"one later message":            {func(p *pair) { p.failOver(); p.post(1) }, 9},
		"as many later messages":       {func(p *pair) { p.failOver(); p.post(2) }, 10},
		"more later messages":          {func(p *pair) { p.failOver(); p.post(5) }, 13},
		"a slow clock":                 {func(p *pair) { p.failOver(); p.appendWithSlowClock(1) }, 9},
		"a slow clock, then a message": {func(p *pair) { p.failOver(); p.appendWithSlowClock(1); p.appendWithSlowClock(2); p.post(1) }, 11},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			f := follow(t, p.store, "lobby", streams.Newest(50))
			f.expect(10)
			kept, lost := p.stored[7].Cursor, p.stored[9].Cursor
			f.entries = nil
			after.happen(p)
			if got := f.nextState(); got.State != streams.Reset {
				t.Fatalf("got state %v, want reset", got)
			}
			f.expect(after.left)
			// A client that has read lost entries is reset. Another client resumes.
			returning := follow(t, p.store, "lobby", streams.After(lost))
			if got := returning.nextState(); got.State != streams.Reset {
				t.Errorf("follow after a lost entry: got state %v, want reset", got)
			}
			early := follow(t, p.store, "lobby", streams.After(kept))
			if got := early.nextState(); got.State != streams.Resumed {
				t.Errorf("follow after a kept entry: got state %v, want resumed", got)
			}
			early.expect(after.left - 8)
		})
	}
}

// After a failover, the numbers in the new history may happen to continue the numbers that a reader has read.
// Consecutive numbers prove that no entry is missing only if they come from the same server.
func TestFailoverLosingEntriesThenTrimDeclaresGap(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	f := follow(t, p.store, "lobby", streams.Newest(50))
	f.expect(10)
	at := len(f.states)
	second := redistest.Open(t, streams.Options{Redis: p.replica.Redis()})
	p.stored = p.stored[:8]
	for i := range 4 { // numbers 9 to 12; the trim leaves 11 and 12, which continue the lost 9 and 10
		postRetrying(t, second, "lobby", fmt.Sprint("new ", i))
		if i == 1 {
			clientOf(t, p.replica).Do(t.Context(), "XTRIM", lobbyKey, "MAXLEN", 0)
		}
	}
	p.failOver()
	f.readUntil("the new entries", func() bool { return len(f.entries) > 0 && f.entries[len(f.entries)-1].Text == "new 3" })
	if len(f.states) == at {
		t.Errorf("got entries %q after lost ones and no new state, want one", texts(f.entries[10:]))
	}
}

// A Store that did not notice the failover must detect from new entries that its window is from another
// history.
func TestUnnoticedFailoverResetsReader(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(fx *fixture){
		"as many entries written as lost": func(fx *fixture) {
			fx.do("XDEL", lobbyKey, fx.stored[8].Cursor.ID.String(), fx.stored[9].Cursor.ID.String())
			fx.do("HSET", lobbyKey+":meta", "n", 8)
			fx.post(2)
		},
		"fewer entries written than lost, with a slow clock": func(fx *fixture) {
			fx.do("XDEL", lobbyKey, fx.stored[8].Cursor.ID.String(), fx.stored[9].Cursor.ID.String())
			(&pair{fixture: fx}).rewriteWithSlowClock()
			fx.post(1)
		},
		"one more entry written than lost, with a slow clock and lost activity": func(fx *fixture) {
			fx.do("XDEL", lobbyKey, fx.stored[8].Cursor.ID.String(), fx.stored[9].Cursor.ID.String())
			p := &pair{fixture: fx}
			p.rewriteWithSlowClock()
			p.appendWithSlowClock(3)
			fx.do("DEL", activityKey)
			fx.post(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runFixtures(t, streams.Options{}, func(fx *fixture) {
				f := follow(fx.T, fx.store, "lobby", streams.Newest(50))
				f.expect(10)
				fx.post(1) // so that the window is not empty
				f.expect(11)
				fx.do("XDEL", lobbyKey, fx.stored[10].Cursor.ID.String())
				happen(fx)
				if got := f.nextState(); got.State != streams.Reset {
					fx.Fatalf("got state %v, want reset", got)
				}
			})
		})
	}
}

// rewriteWithSlowClock rewrites the stream as if its primary's clock were slow.
func (p *pair) rewriteWithSlowClock() {
	entries := p.Client.XRange(context.Background(), lobbyKey, "-", "+").Val()
	p.do("DEL", lobbyKey)
	for _, entry := range entries {
		args := []any{"XADD", lobbyKey, entry.ID}
		for field, value := range entry.Values {
			args = append(args, field, value)
		}
		p.do(args...)
	}
	p.do("HSET", lobbyKey+":meta", "n", 8)
	p.appendWithSlowClock(1)
	p.appendWithSlowClock(2)
}

func TestAppendsSurviveLostReplies(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	defer client.Close()
	proxy := redistest.StartProxy(t, server.Addr)
	options := server.Redis()
	options.Addrs = []string{proxy.Addr}
	store := redistest.Open(t, streams.Options{Redis: options})
	f := follow(t, store, "lobby", streams.After(streams.Cursor{}))
	f.nextState()
	proxy.DropReplies(0.1)
	const authors, each = 8, 60
	stored := appendAll(t, store, authors, each, func(author, i int) bool {
		switch {
		case author == 0 && i%7 == 0:
			client.Do(context.Background(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		case author == 1 && i%5 == 0:
			client.ScriptFlush(context.Background())
		}
		return true
	})
	proxy.DropReplies(0)
	f.expect(authors * each)
	next := make(map[string]int)
	for i, entry := range f.entries {
		if entry.Number != int64(i+1) || stored[entry.Key] != entry.ID {
			t.Fatalf("entry %d: got %+v, want number %d and ID %v", i, entry, i+1, stored[entry.Key])
		}
		if want := fmt.Sprint(next[entry.User.ID]); entry.Text != want {
			t.Fatalf("%s: got message %q, want %q", entry.User.ID, entry.Text, want)
		}
		next[entry.User.ID]++
	}
	if n := client.XLen(context.Background(), lobbyKey).Val(); n != authors*each {
		t.Errorf("got %d stored entries, want %d", n, authors*each)
	}
}

// A Store must not read from a Redis that has become a replica. The replica lags behind, and then replaces
// its history with the new primary's.
func TestReplicaCountsAsAway(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	p := newPair(t)
	status := make(chan bool, 10)
	store := redistest.Open(t, streams.Options{
		Redis: p.primary.Redis(), OnStatus: func(away bool) { status <- away },
	})
	f := follow(t, store, "lobby", streams.Newest(50))
	f.expect(10)
	f.entries = nil
	of := replicaArgs(t, p.replica)
	p.do("REPLICAOF", of[1], of[2])
	if away := <-status; !away {
		t.Error("got status back, want away")
	}
	eventually(t, "the replica to copy the new primary's history", func() bool {
		return p.Client.XLen(context.Background(), lobbyKey).Val() == 8
	})
	if err := tryPost(store, "lobby", "to a replica"); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("append to a replica: got error %v, want ErrUnavailable", err)
	}
	p.do("REPLICAOF", "NO", "ONE")
	if away := <-status; away {
		t.Error("got status away, want back")
	}
	if got := f.nextState(); got.State != streams.Reset {
		t.Errorf("got state %v, want reset", got)
	}
	f.expect(8)
}
