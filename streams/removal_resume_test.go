package streams_test

import (
	"sync"
	"testing"

	"burble/streams"
	"burble/streams/redistest"
)

// Readers disconnect and resume while their users are removed. A reader that is disconnected at the time of its
// user's removal is refused when it resumes. All others end exactly at the removal. No reader gets anything later.
func TestRemovedReadersThatResume(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		r := newRemovalRoom(t, backend.Client, streams.Options{Redis: backend.Redis})
		stop := r.write()
		defer stop()
		transcripts := make([][]streams.Entry, removedReaders+1)
		removals := make([]streams.Entry, removedReaders+1)
		var reading sync.WaitGroup
		for n := 1; n <= removedReaders; n++ {
			first := r.follow(n, streams.Newest(10))
			first.nextState()
			reading.Go(func() {
				for f := first; f.closed == ""; {
					before := len(f.entries)
					f.readUntil("entries", func() bool { return f.closed != "" || len(f.entries) > before+n })
					f.reader.Close()
					transcripts[n] = append(transcripts[n], f.entries...)
					if f.closed == "" {
						f = r.follow(n, streams.After(f.cursor))
						f.readUntil("a state or the end", func() bool { return f.closed != "" || len(f.states) > 0 })
					}
				}
			})
		}
		for n := 1; n <= removedReaders; n++ {
			r.awaitMessages()
			removals[n] = r.change(n, streams.NoRole)
		}
		reading.Wait()
		stop()
		history := r.history()
		exact := 0
		for n := 1; n <= removedReaders; n++ {
			r.expectPart(n, transcripts[n], history)
			switch last := transcripts[n][len(transcripts[n])-1]; {
			case last.ID == removals[n].ID:
				exact++
			case removals[n].ID.Before(last.ID):
				t.Errorf("account %d: got %v after its removal %v, want nothing", n, last.ID, removals[n].ID)
			}
			for _, at := range []streams.ID{transcripts[n][0].ID, removals[n].ID, history[len(history)-1].ID} {
				again := r.follow(n, streams.After(streams.Cursor{ID: at}))
				again.readUntil("a refusal", func() bool { return again.closed != "" })
				if len(again.entries) > 0 || len(again.states) > 0 || again.closed != streams.Removed {
					t.Errorf("account %d after %v: got %d entries and states %v, closed %q, want only closed removed", n, at, len(again.entries), again.states, again.closed)
				}
			}
		}
		t.Logf("%d of %d ended with their removal, and the others were refused when they resumed", exact, removedReaders)
		if exact == 0 {
			t.Error("got no reader that ended with its removal, want at least one")
		}
	})
}
