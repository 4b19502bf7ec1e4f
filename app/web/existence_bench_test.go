package web

import (
	"slices"
	"strings"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/streams/redistest"
)

// BenchmarkRefusalOfHiddenRooms reports how long the server takes to refuse a stranger a private room, a deleted
// room, and a room that never existed, as percentiles in µs. The three kinds of room should take equally long.
func BenchmarkRefusalOfHiddenRooms(b *testing.B) {
	s := startServer(b, redistest.Single(b).Redis)
	owner, eve := s.newAccount("Olga", accounts.Owner), s.newAccount("Eve", accounts.Member)
	private, deleted := s.newPrivateRoom(owner), s.newPrivateRoom(owner)
	for range 100 {
		s.post(owner, private, "hello")
		s.post(owner, deleted, "hello")
	}
	s.manage(owner, "DELETE", "/r/"+deleted, "", 204)
	rooms := map[string]string{"private": private, "deleted": deleted, "never": "p" + strings.Repeat("a", 20)}
	took := make(map[string][]time.Duration)
	for b.Loop() {
		for kind, room := range rooms { // in random order
			began := time.Now()
			if got := s.get("/r/"+room+"/messages", eve.bearer()); got.status != 404 {
				b.Fatalf("%s: got status %d, want 404", kind, got.status)
			}
			took[kind] = append(took[kind], time.Since(began))
		}
	}
	for kind, all := range took {
		slices.Sort(all)
		for name, share := range map[string]int{"p50": 50, "p90": 90, "p99": 99} {
			b.ReportMetric(float64(all[len(all)*share/100].Microseconds()), kind+"-"+name+"-µs")
		}
	}
}
