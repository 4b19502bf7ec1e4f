package streams_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"burble/streams"
)

// A follower collects what one reader reads, and checks that there are no gaps between batches.
type follower struct {
	t          *testing.T
	reader     *streams.Reader
	ready      chan struct{}
	cursor     streams.Cursor
	states     []streams.Followed
	afterState int // number of entries before the last state
	entries    []streams.Entry
	signals    []*streams.Signal
	closed     streams.Closed
}

func follow(t *testing.T, store *streams.Store, room string, from streams.From) *follower {
	t.Helper()
	return followAs(t, store.As(ada), room, from)
}

func followAs(t *testing.T, by streams.Access, room string, from streams.From) *follower {
	t.Helper()
	f := &follower{t: t, ready: make(chan struct{}, 1)}
	f.ready <- struct{}{}
	reader, err := by.Follow(room, from, func(*streams.Reader) {
		select {
		case f.ready <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	f.reader = reader
	t.Cleanup(reader.Close)
	return f
}

// readUntil reads until the condition is met.
func (f *follower) readUntil(what string, met func() bool) {
	f.t.Helper()
	deadline := time.After(time.Minute)
	for !met() {
		select {
		case <-f.ready:
		case <-deadline:
			f.t.Fatalf("timed out waiting for %s: got %d entries, states %v", what, len(f.entries), f.states)
		}
		f.readAvailable()
	}
}

// readAvailable reads until the end of the room or an error. After an error, the reader signals ready when
// it is time to retry.
func (f *follower) readAvailable() {
	f.t.Helper()
	for {
		read, err := f.next()
		if err != nil || read.AtEnd || read.IsEmpty() {
			return
		}
	}
}

// next calls Next once.
func (f *follower) next() (streams.Read, error) {
	f.t.Helper()
	read, err := f.reader.Next(context.Background())
	if read.Followed != nil {
		f.states = append(f.states, *read.Followed)
		f.cursor, f.afterState = read.Followed.At, len(f.entries)
	}
	if read.Batch != nil {
		if read.Batch.After != f.cursor {
			f.t.Fatalf("got a batch after %v, want it after %v", read.Batch.After, f.cursor)
		}
		f.cursor = read.Batch.Upto
		f.entries = append(f.entries, read.Batch.Entries...)
	}
	f.signals = append(f.signals, read.Signals...)
	if read.Closed != "" {
		f.closed = read.Closed
	}
	return read, err
}

// expect reads until it has n entries, and fails if it has more.
func (f *follower) expect(n int) {
	f.t.Helper()
	f.readUntil(fmt.Sprintf("%d entries", n), func() bool { return len(f.entries) >= n })
	if len(f.entries) != n {
		f.t.Fatalf("got %d entries, want %d", len(f.entries), n)
	}
}

// nextState waits for the next state.
func (f *follower) nextState() streams.Followed {
	f.t.Helper()
	had := len(f.states)
	f.readUntil("a state", func() bool { return len(f.states) > had })
	return f.states[had]
}

// nextSignal waits for a signal of the given kind, and removes it from the signals read.
func (f *follower) nextSignal(kind streams.SignalKind) *streams.Signal {
	f.t.Helper()
	matches := func(signal *streams.Signal) bool { return signal.Kind == kind }
	f.readUntil("a signal "+string(kind), func() bool { return slices.ContainsFunc(f.signals, matches) })
	i := slices.IndexFunc(f.signals, matches)
	signal := f.signals[i]
	f.signals = slices.Delete(f.signals, i, i+1)
	return signal
}

// awaitTail posts a message and waits until the tail has read it. Until then, the reader may miss signals.
func (f *follower) awaitTail(store *streams.Store) {
	f.t.Helper()
	f.nextState()
	post(f.t, store, f.reader.Room, "awaited")
	f.expect(1)
}
