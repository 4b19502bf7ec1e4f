//go:build !race

package verdicts

import (
	"runtime"
	"testing"

	"burble/app/identity"

	"github.com/google/uuid"
)

func TestCostOfCachedSession(t *testing.T) {
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
	if each > 300 {
		t.Errorf("a cached session takes %d bytes, want at most 300", each)
	}
	runtime.KeepAlive(f)
}
