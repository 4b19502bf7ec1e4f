package streams_test

import (
	"fmt"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

// If the Redis client retried a heartbeat whose reply was lost, the retry would report the server as known.
func TestHeartbeatIsNotRetried(t *testing.T) {
	t.Parallel()
	proxy := redistest.StartProxy(t, redistest.StartTCP(t).Addr)
	store := redistest.Open(t, streams.Options{Redis: &conns.Address{Addrs: []string{proxy.Addr}}})
	proxy.DropReplies(0.3)
	defer proxy.DropReplies(0)
	for i := range 50 {
		if known, err := store.Heartbeat(t.Context(), fmt.Sprint("server ", i), time.Minute); err == nil && known {
			t.Fatalf("Heartbeat of new server %d: got known, want new", i)
		}
	}
}

// When many members join a room at once, each is sent the list of people. Decoding it for each would allocate
// tens of megabytes a second.
func TestPresentDecodesEachRoomOnce(t *testing.T) {
	// AllocsPerRun does not allow parallel tests.
	store := redistest.Open(t, streams.Options{Redis: &conns.Address{Addrs: []string{redistest.StartTCP(t).Addr}}})
	var here []streams.Arrival
	var visits []streams.PresenceQuery
	for i := range streams.MaxNamed {
		user := streams.User{ID: fmt.Sprint("user ", i), Name: "Ada"}
		here = append(here, streams.Arrival{User: user})
		visits = append(visits, streams.PresenceQuery{By: store.As(user), Room: "lobby"})
	}
	if err := store.UpdatePresence(t.Context(), "one", streams.PresenceChange{Room: "lobby", Here: here})[0].Err; err != nil {
		t.Fatal(err)
	}
	allocations := func(visits []streams.PresenceQuery) float64 {
		return testing.AllocsPerRun(5, func() {
			for _, present := range store.Present(t.Context(), visits...) {
				if present.Err != nil || present.Count != streams.MaxNamed {
					t.Fatalf("got %d people, %v; want %d", present.Count, present.Err, streams.MaxNamed)
				}
			}
		})
	}
	if one, all := allocations(visits[:1]), allocations(visits); all > 2*one {
		t.Errorf("%v allocations for %d visits, %v for one; want at most twice as many", all, len(visits), one)
	}
}
