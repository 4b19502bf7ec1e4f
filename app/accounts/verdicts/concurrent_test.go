package verdicts

import (
	"runtime"
	"sync"
	"testing"
)

// TestConcurrentUse mixes verdicts, changes, breaks and subscriptions. Run it with -race.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var sessions []Session
	for range 20 {
		sessions = append(sessions, f.session())
	}
	var working sync.WaitGroup
	for i := range 8 {
		working.Go(func() {
			for k := range 300 {
				s, r := sessions[(i+k)%len(sessions)], &lockedRecorder{}
				if _, err := f.Subscribe(ctx, s, r); err == nil {
					f.Unsubscribe(s, r)
				}
				f.Guest(ctx, s.User.String())
				f.SetUsed(s, f.LastUsed(s))
			}
		})
	}
	for i := range 100 {
		s := sessions[i%len(sessions)]
		f.Changed(f.change("role", s, func(s *State) { s.Role = Moderator }))
		f.Confirmed()
		if i%10 == 0 {
			f.Broken()
			for f.Restored(ctx, entry(f.last)) != nil {
				runtime.Gosched()
			}
		}
		f.recheckUnconfirmed(ctx)
	}
	working.Wait()
	for _, s := range sessions {
		if v, err := f.Verdict(ctx, s); err != nil || v.Role != Moderator {
			t.Errorf("Verdict returned %v, %v; want a moderator", v, err)
		}
	}
}

type lockedRecorder struct{ mu sync.Mutex }
