package chat

import (
	"burble/app/identity"
	"burble/streams"
	"burble/streams/redistest"
	"log/slog"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// listener counts how often it is notified.
type listener struct{ notified int }

func (l *listener) Notify([]byte) { l.notified++ }
func (l *listener) Closed() bool  { return false }

func TestPresenceIsReportedAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	at := &redis.UniversalOptions{Addrs: []string{miniredis.RunT(t).Addr()}}
	store := redistest.Open(t, streams.Options{Redis: at})
	client := redis.NewUniversalClient(at)
	defer client.Close()
	people, now, connection := newPresence(store, Options{Log: slog.New(slog.DiscardHandler), EncodePresent: func(string, int, []streams.User) []byte { return nil }}), time.Now(), new(listener)
	ada, bob, eve := identity.User{ID: "1", Name: "Ada"}, identity.User{ID: "2", Name: "Bob"}, identity.User{ID: "3", Name: "Eve"}
	update := func(meanwhile func()) {
		t.Helper()
		now = now.Add(leaveGrace)
		updates := people.updates(now)
		meanwhile()
		for _, next := range updates {
			people.apply(t.Context(), next)
		}
	}
	nothing := func() {}
	for _, user := range []identity.User{ada, bob, eve} {
		people.join("lobby", user, connection)
	}
	update(nothing)

	present := client.Keys(t.Context(), "*:present").Val()[0]
	client.Rename(t.Context(), present, "aside")
	client.Set(t.Context(), present, "of the wrong type", 0)
	for _, user := range []identity.User{ada, bob, eve} {
		people.leave("lobby", user, now)
	}
	people.join("lobby", identity.User{}, connection)
	update(nothing)
	client.Rename(t.Context(), "aside", present)

	people.join("lobby", bob, connection)
	update(func() { people.join("lobby", eve, connection) })
	if count, here, err := store.As(streams.User{}).Present(t.Context(), "lobby"); count != 1 || here[0].Name != "Bob" || err != nil {
		t.Errorf("present: %v, %v; want Bob alone, who came back", here, err)
	}
	update(nothing)
	if count, here, err := store.As(streams.User{}).Present(t.Context(), "lobby"); count != 2 || err != nil {
		t.Errorf("present: %v, %v; want Bob and Eve, who came back during the update", here, err)
	}
	if connection.notified != 6 {
		t.Errorf("%d of 6 were notified", connection.notified)
	}
}

func TestPresenceIsReportedAgainAfterAFailedHeartbeat(t *testing.T) {
	t.Parallel()
	at := &redis.UniversalOptions{Addrs: []string{miniredis.RunT(t).Addr()}}
	store := redistest.Open(t, streams.Options{Redis: at})
	client := redis.NewUniversalClient(at)
	defer client.Close()
	people, now := newPresence(store, Options{Log: slog.New(slog.DiscardHandler), EncodePresent: func(string, int, []streams.User) []byte { return nil }}), time.Now()
	people.join("lobby", identity.User{ID: "1", Name: "Ada"}, new(listener))
	if updates := people.updates(now); len(updates) != 1 || len(updates[0].arrived) != 1 {
		t.Fatalf("first updates: %+v", updates)
	}
	client.Set(t.Context(), "{0}:servers", "of the wrong type", 0)
	people.heartbeat(t.Context(), now)
	if updates := people.updates(now.Add(roomInterval)); len(updates) != 1 || len(updates[0].arrived) != 1 {
		t.Errorf("updates after the heartbeat: %+v", updates)
	}
}
