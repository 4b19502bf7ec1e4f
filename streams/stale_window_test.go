package streams_test

import (
	"testing"

	"burble/streams"
)

// The window may be from a history that Redis has lost, without the tail noticing, because there has been no
// activity since.
func TestNewReaderAfterLossBypassesWindow(t *testing.T) {
	t.Parallel()
	foreign := streams.Cursor{ID: streams.ID{Millis: 5}, Epoch: "ELSEWHERE"}
	for name, from := range map[string]streams.From{
		"cursor of another history": streams.After(foreign),
		"the beginning":             streams.After(streams.Cursor{Epoch: "0"}),
		"the newest entries":        streams.Newest(50),
		"the end":                   streams.Newest(0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fx := newFixture(t, streams.Options{})
			early := follow(t, fx.store, "lobby", streams.After(streams.Cursor{}))
			early.expect(10)
			fx.post(2) // so that the window is not empty
			early.expect(12)
			fx.do("DEL", lobbyKey)
			f := follow(t, fx.store, "lobby", from)
			if got := f.nextState(); !got.At.ID.IsZero() || !got.Last.ID.IsZero() {
				t.Errorf("state in a deleted room: got %+v, want zero IDs", got)
			}
			f.readAvailable()
			if len(f.entries) > 0 {
				t.Fatalf("got %d entries of a deleted room, want 0", len(f.entries))
			}
			fx.post(3)
			early.entries = nil
			f.expect(3)
			early.expect(3)
			if f.entries[0].Number != 1 {
				t.Errorf("first entry: got number %d, want 1", f.entries[0].Number)
			}
		})
	}
}

func TestNewestAfterTrimByHand(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, streams.Options{})
	early := follow(t, fx.store, "lobby", streams.Newest(0))
	early.nextState() // creates the window before the trim
	fx.do("XTRIM", lobbyKey, "MAXLEN", 3)
	f := follow(t, fx.store, "lobby", streams.Newest(50))
	f.expect(3)
	again := follow(t, fx.store, "lobby", streams.After(f.states[0].At))
	if got := again.nextState(); f.states[0].At.ID.IsZero() || got.State != streams.Resumed {
		t.Errorf("started at %v, and a reader that resumed there got state %v, want resumed", f.states[0].At, got)
	}
	again.expect(3)
}

// The result of a shared read is cached for a second. A result from before a room's first entry must not be
// used once that entry is stored.
func TestReaderJustAfterFirstEntry(t *testing.T) {
	t.Parallel()
	fx := newFixture(t, streams.Options{})
	for room, from := range map[string]streams.From{"new-1": streams.After(streams.Cursor{}), "new-2": streams.Newest(50)} {
		early := follow(t, fx.store, room, from)
		early.nextState()
		post(t, fx.store, room, "first")
		early.expect(1)
		follow(t, fx.store, room, from).expect(1)
	}
}
