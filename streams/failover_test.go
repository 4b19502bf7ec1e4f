package streams_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// pair is a primary and its replica behind one address, with a room of ten
// messages of which the replica has eight.
type pair struct {
	*ground
	primary, replica *redistest.Server
	proxy            *redistest.Proxy
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{ground: &ground{T: t}, primary: startPrimary(t)}
	p.Client = clientOf(t, p.primary)
	p.replica = redistest.StartTCP(t, replicaOf(t, p.primary)...)
	p.proxy = redistest.StartProxy(t, p.primary.Addr)
	p.Redis = &redis.UniversalOptions{Addrs: []string{p.proxy.Addr}}
	p.store = redistest.Open(t, streams.Options{Redis: p.Redis})
	p.say(8)
	second := clientOf(t, p.replica)
	within(t, "the replica to have eight", func() bool {
		return second.XLen(context.Background(), lobbyKey).Val() == 8
	})
	if err := second.Do(context.Background(), "REPLICAOF", "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	p.say(2)
	return p
}

// clientOf is a plain client of the server, for as long as the test lasts.
func clientOf(t testing.TB, server *redistest.Server) *redis.Client {
	client := server.Client()
	t.Cleanup(func() { client.Close() })
	return client
}

// startPrimary starts a Redis that lets a replica in at once.
func startPrimary(t testing.TB) *redistest.Server {
	return redistest.StartTCP(t, "--repl-diskless-sync-delay", "0")
}

func replicaOf(t testing.TB, primary *redistest.Server) []string {
	host, port, err := net.SplitHostPort(primary.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--replicaof", host, port}
}

// within asks until it is so.
func within(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// failOver leads everybody to the replica.
func (p *pair) failOver() {
	p.Client = clientOf(p.T, p.replica)
	p.told = p.told[:8]
	p.proxy.Point(p.replica.Addr)
}

// slowly adds a message as a new primary with a slow clock does: after the
// eighth, and before what the old primary had.
func (p *pair) slowly(seq uint64) {
	id := p.told[7].Cursor.ID
	id.Seq += seq
	n := 8 + int(seq)
	p.do("XADD", lobbyKey, id.String(), "kind", "message", "n", n, "key", "k", "uid", "u", "name", "Eve", "text", "slow")
	p.do("HSET", lobbyKey+":meta", "n", n)
	p.do("XADD", activityKey, "*", "room", "lobby", "at", id.String()+"@"+p.told[7].Cursor.Epoch)
}

var activityKey = streams.ActivityKey("lobby")

func TestFailoverThatLostEntriesIsTold(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]struct {
		happen func(p *pair)
		left   int
	}{
		"and nothing since":           {func(p *pair) { p.failOver() }, 8},
		"and a message since":         {func(p *pair) { p.failOver(); p.say(1) }, 9},
		"and as many since":           {func(p *pair) { p.failOver(); p.say(2) }, 10},
		"and more since":              {func(p *pair) { p.failOver(); p.say(5) }, 13},
		"and a slow clock":            {func(p *pair) { p.failOver(); p.slowly(1) }, 9},
		"and a slow clock, then more": {func(p *pair) { p.failOver(); p.slowly(1); p.slowly(2); p.say(1) }, 11},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			f := follow(t, p.store, "lobby", streams.Newest(50))
			f.has(10)
			whole, cut := p.told[7].Cursor, p.told[9].Cursor
			f.all = nil
			after.happen(p)
			if got := f.state(); got.State != streams.Reset {
				t.Fatalf("told %v, want reset", got)
			}
			f.has(after.left)
			// And so is who comes back from there; not who had seen nothing of it.
			back := follow(t, p.store, "lobby", streams.After(cut))
			if got := back.state(); got.State != streams.Reset {
				t.Errorf("from a lost entry: %v", got)
			}
			early := follow(t, p.store, "lobby", streams.After(whole))
			if got := early.state(); got.State != streams.Resumed {
				t.Errorf("from an entry that was not lost: %v", got)
			}
			early.has(after.left - 8)
		})
	}
}

// The store that reads is not led to the new primary at one moment: what it holds
// is found wrong by what comes, too.
func TestHistoryThatChangesUnderAConnectedReaderIsTold(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(g *ground){
		"entries lost, and as many written": func(g *ground) {
			g.do("XDEL", lobbyKey, g.told[8].Cursor.ID.String(), g.told[9].Cursor.ID.String())
			g.do("HSET", lobbyKey+":meta", "n", 8)
			g.say(2)
		},
		"entries lost, and fewer written with a slow clock": func(g *ground) {
			g.do("XDEL", lobbyKey, g.told[8].Cursor.ID.String(), g.told[9].Cursor.ID.String())
			(&pair{ground: g}).slowlyRewritten()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			grounds(t, streams.Options{}, func(g *ground) {
				f := follow(g.T, g.store, "lobby", streams.Newest(50))
				f.has(10)
				g.say(1) // so that the window has something
				f.has(11)
				g.do("XDEL", lobbyKey, g.told[10].Cursor.ID.String())
				happen(g)
				if got := f.state(); got.State != streams.Reset {
					g.Fatalf("told %v, want reset", got)
				}
			})
		})
	}
}

// slowlyRewritten rewrites the stream as a primary with a slow clock would have it.
func (p *pair) slowlyRewritten() {
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
	p.slowly(1)
	p.slowly(2)
	p.say(1)
}

func TestSequentialSendsSurviveLostReplies(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	defer client.Close()
	proxy := redistest.StartProxy(t, server.Addr)
	options := server.Redis()
	options.Addrs = []string{proxy.Addr}
	store := redistest.Open(t, streams.Options{Redis: options})
	f := follow(t, store, "lobby", streams.After(streams.Cursor{}))
	f.state()
	proxy.Lose(0.1)
	const authors, each = 8, 60
	stored := sendAll(t, store, authors, each, func(author, i int) bool {
		switch {
		case author == 0 && i%7 == 0:
			client.Do(context.Background(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		case author == 1 && i%5 == 0:
			client.ScriptFlush(context.Background())
		}
		return true
	})
	proxy.Lose(0)
	f.has(authors * each)
	next := make(map[string]int)
	for i, entry := range f.all {
		if entry.N != int64(i+1) || stored[entry.Key] != entry.ID {
			t.Fatalf("entry %d: %+v, its sender was told %v", i, entry, stored[entry.Key])
		}
		if want := fmt.Sprint(next[entry.User.ID]); entry.Text != want {
			t.Fatalf("%s: got %s, want %s", entry.User.ID, entry.Text, want)
		}
		next[entry.User.ID]++
	}
	if n := client.XLen(context.Background(), lobbyKey).Val(); n != authors*each {
		t.Errorf("%d entries stored", n)
	}
}

// A Redis that was made somebody's replica no longer has the rooms' truth: what it
// shows is late, and then that of its new primary.
func TestRedisThatBecameAReplicaIsAwayUntilItIsAPrimaryAgain(t *testing.T) {
	t.Parallel()
	p := newPair(t) // the other one has eight of ten
	status := make(chan bool, 10)
	store := redistest.Open(t, streams.Options{
		Redis: p.primary.Redis(), OnStatus: func(away bool) { status <- away },
	})
	f := follow(t, store, "lobby", streams.Newest(50))
	f.has(10)
	f.all = nil
	of := replicaOf(t, p.replica)
	p.do("REPLICAOF", of[1], of[2])
	if away := <-status; !away {
		t.Error("told back, and was not away")
	}
	within(t, "the other's history", func() bool {
		return p.Client.XLen(context.Background(), lobbyKey).Val() == 8
	})
	if err := tell(store, "lobby", "to a replica"); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("written to a replica: %v", err)
	}
	p.do("REPLICAOF", "NO", "ONE")
	if away := <-status; away {
		t.Error("told away twice")
	}
	if got := f.state(); got.State != streams.Reset {
		t.Errorf("told %v, want reset", got)
	}
	f.has(8)
}
