package streams_test

import (
	"testing"

	"burble/streams"
)

// The window belongs to a history that Redis has no more, and nothing has happened
// since that would tell the tail.
func TestReaderWhoComesAfterALossIsNotServedFromWhatTheWindowStillHolds(t *testing.T) {
	t.Parallel()
	foreign := streams.Cursor{ID: streams.ID{Millis: 5}, Epoch: "ELSEWHERE"}
	for name, from := range map[string]streams.From{
		"from a cursor of another history": streams.After(foreign),
		"from the beginning":               streams.After(streams.Cursor{Epoch: "0"}),
		"from the newest":                  streams.Newest(50),
		"from now on":                      streams.Newest(0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGround(t, streams.Options{})
			early := follow(t, g.store, "lobby", streams.After(streams.Cursor{}))
			early.has(10)
			g.say(2) // so that the window has something
			early.has(12)
			g.do("DEL", lobbyKey)
			f := follow(t, g.store, "lobby", from)
			if got := f.state(); !got.At.ID.IsZero() || !got.Last.ID.IsZero() {
				t.Errorf("of a room that is gone: %+v", got)
			}
			f.drain()
			if len(f.all) > 0 {
				t.Fatalf("of a room that is gone: %d entries", len(f.all))
			}
			g.say(3)
			early.all = nil
			f.has(3)
			early.has(3)
			if f.all[0].N != 1 {
				t.Errorf("the first entry has number %d", f.all[0].N)
			}
		})
	}
}

func TestNewestOfARoomThatWasTrimmedByHandBeginAfterWhatIsGone(t *testing.T) {
	t.Parallel()
	g := newGround(t, streams.Options{})
	early := follow(t, g.store, "lobby", streams.Newest(0))
	early.state() // so that there is a window, from before it was trimmed
	g.do("XTRIM", lobbyKey, "MAXLEN", 3)
	f := follow(t, g.store, "lobby", streams.Newest(50))
	f.has(3)
	again := follow(t, g.store, "lobby", streams.After(f.states[0].At))
	if got := again.state(); f.states[0].At.ID.IsZero() || got.State != streams.Resumed {
		t.Errorf("began at %v, and came back from there to %v", f.states[0].At, got)
	}
	again.has(3)
}

// What was read of a room for one reader serves others for a second. What was read
// before the room began is of no use to who comes after.
func TestReaderWhoComesRightAfterARoomBeganIsServed(t *testing.T) {
	t.Parallel()
	g := newGround(t, streams.Options{})
	for name, from := range map[string]streams.From{"new-1": streams.After(streams.Cursor{}), "new-2": streams.Newest(50)} {
		early := follow(t, g.store, name, from)
		early.state()
		say(t, g.store, name, "the first")
		early.has(1)
		follow(t, g.store, name, from).has(1)
	}
}
