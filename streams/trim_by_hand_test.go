package streams_test

import (
	"testing"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

func TestCaughtUpReaderSurvivesTrim(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(fx *fixture){
		"by count":   func(fx *fixture) {},
		"by hand":    func(fx *fixture) { fx.do("XTRIM", lobbyKey, "MAXLEN", 2) },
		"to nothing": func(fx *fixture) { fx.do("XTRIM", lobbyKey, "MAXLEN", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runFixtures(t, streams.Options{MaxCount: 10}, func(fx *fixture) {
				f := follow(fx.T, fx.store, "lobby", streams.Newest(50))
				for have := 10; have <= 40; have += 5 {
					f.expect(have)
					happen(fx)
					fx.post(5)
				}
				f.expect(45)
				if len(f.states) != 1 {
					fx.Errorf("got states %v, want one", f.states)
				}
			})
		})
	}
}

// While a server has no connection to Redis, the message at the end of its window is deleted, and messages after that one
// are trimmed by hand.
func TestReaderIsNotifiedOfATrimDuringAnOutage(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, streams.Options{})
	proxy := redistest.StartProxy(t, fx.Redis.Addrs[0])
	store := redistest.Open(t, streams.Options{Redis: &conns.Address{Addrs: []string{proxy.Addr}}})
	f := follow(t, store, "lobby", streams.Newest(50))
	f.expect(10)

	proxy.Reroute("")
	amend(t, fx.store, streams.Delete, fx.stored[9].Cursor.ID, "")
	fx.post(5)
	fx.do("XTRIM", lobbyKey, "MAXLEN", 2)
	proxy.Reroute(fx.Redis.Addrs[0])
	f.expect(12)
	if last := f.states[len(f.states)-1]; last.State != streams.Truncated {
		t.Errorf("got states %v, want the last truncated", f.states)
	}
	fx.expectNextMessage(f)
}

func TestEmptiedRoomContinues(t *testing.T) {
	t.Parallel()
	runFixtures(t, streams.Options{}, func(fx *fixture) {
		last := len(fx.stored) - 1
		end := fx.stored[last].Cursor
		fx.do("XTRIM", lobbyKey, "MAXLEN", 0)
		fx.post(2)
		all := follow(fx.T, fx.store, "lobby", streams.After(end))
		if got := all.nextState(); got.State != streams.Resumed {
			fx.Errorf("follow after the end: got state %v, want resumed", got)
		}
		all.expect(2)
		behind := follow(fx.T, fx.store, "lobby", streams.After(fx.stored[last-1].Cursor))
		if got := behind.nextState(); got.State != streams.Truncated || got.First != end {
			fx.Errorf("follow before the end: got state %v, want truncated with First %v", got, end)
		}
		behind.expect(2)
	})
}
