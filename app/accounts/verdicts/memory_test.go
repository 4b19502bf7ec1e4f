package verdicts

import (
	"runtime"
	"slices"
	"testing"

	"burble/app/identity"

	"github.com/google/uuid"
)

// The cache must neither grow without limit nor forget subscribers.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s, r := f.session(), &recorder{}
	if _, err := f.Subscribe(ctx, s, r); err != nil {
		t.Fatal(err)
	}
	for range maxCachedUsers + 100 {
		other := f.session()
		if _, err := f.Verdict(ctx, other); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.cache.users); n > maxCachedUsers+20 {
		t.Errorf("%d cached users", n)
	}
	f.Changed(f.change("signed_out", s, nil))
	if !slices.Equal(r.events, []error{ErrSignedOut}) {
		t.Errorf("notified of %v", r.events)
	}
}

func TestMemoryOfACachedSession(t *testing.T) {
	f := newFixture(t)
	const n = 20_000
	sessions := make([]Session, n)
	for i := range sessions {
		sessions[i] = f.session()
	}
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	for _, s := range sessions {
		state := State{AsOf: entry(f.last), User: identity.User{ID: s.User.String(), Name: string([]byte("Ada Lovelace"))}, Role: Member, Sessions: []SessionState{{1, true}}}
		f.cache.apply(Query{s.User, []uuid.UUID{s.ID}}, &state, f.cache.currentEpoch())
	}
	each := (heap() - before) / n
	t.Logf("%d bytes for each cached session", each)
	if each > 300 && !raceEnabled {
		t.Errorf("a cached session takes %d bytes", each)
	}
	runtime.KeepAlive(f)
}
