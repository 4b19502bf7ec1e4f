package presence

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
)

// Helpers of this package's tests:
//
//	start                   returns a Presence on miniredis, and a client of that miniredis
//	run                     returns a running Presence on a real Redis
//	fixture.join            joins a room as a guest
//	fixture.update          applies the updates that are due after a time
//	fixture.expectPresent   checks which users are in the lobby

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// fixture is a Presence and its store.
type fixture struct {
	*Presence
	store *streams.Store
}

func newFixture(t *testing.T, address *conns.Address) *fixture {
	t.Helper()
	store := redistest.Open(t, streams.Options{Redis: address})
	return &fixture{New(store, Options{
		Log:    slog.New(slog.DiscardHandler),
		Encode: func(string, int, []streams.User) []byte { return nil },
	}), store}
}

// start returns a Presence whose store is on miniredis, and a client that the test can use to corrupt its
// data.
func start(t *testing.T) (*fixture, redistest.Client) {
	t.Helper()
	address := &conns.Address{Addrs: []string{miniredis.RunT(t).Addr()}}
	return newFixture(t, address), redistest.Connect(t, address)
}

// run runs a Presence on the Redis until the test ends. Its heartbeats are frequent, and Redis considers it
// alive for 10 s after each.
func run(t *testing.T, address *conns.Address) *fixture {
	t.Helper()
	p := newFixture(t, address)
	p.heartbeats.interval, p.heartbeats.timeout = 200*time.Millisecond, 10*time.Second
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	return p
}

// join joins the room as a guest. A user without an ID only listens.
func (p *fixture) join(room string, user streams.User, l Listener) {
	p.Join(room, streams.Arrival{User: user}, p.store.As(user), l)
}

// update advances now by leaveGrace and applies the updates that are then due. It calls between
// after taking the updates and before applying them.
func (p *fixture) update(t *testing.T, now *time.Time, between func()) {
	t.Helper()
	*now = now.Add(leaveGrace)
	updates, _ := p.takeUpdates(*now)
	between()
	p.apply(t.Context(), updates)
}

// expectPresent checks the names that Redis lists as present in the lobby.
func (p *fixture) expectPresent(t *testing.T, want ...string) {
	t.Helper()
	present := p.store.As(streams.User{}).Present(t.Context(), "lobby")
	var names []string
	for _, user := range present.People {
		names = append(names, user.Name)
	}
	slices.Sort(names)
	if present.Err != nil || !slices.Equal(names, want) {
		t.Errorf("present: got %q, %v; want %q", names, present.Err, want)
	}
}
