package chat

import (
	"slices"
	"testing"
	"time"

	"burble/app/identity"
	"burble/streams"
)

var (
	ada = identity.User{ID: "1", Name: "Ada"}
	bob = identity.User{ID: "2", Name: "Bob"}
	eve = identity.User{ID: "3", Name: "Eve"}
)

// listener is a Listener that counts its notifications.
type listener struct{ notified int }

func (l *listener) Notify([]byte) { l.notified++ }
func (l *listener) Closed() bool  { return false }

// update advances now by leaveGrace and applies the updates that are then due. It calls meanwhile
// between taking the updates and applying them.
func (p *presence) update(t *testing.T, now *time.Time, meanwhile func()) {
	t.Helper()
	*now = now.Add(leaveGrace)
	updates := p.takeUpdates(*now)
	meanwhile()
	for _, next := range updates {
		p.apply(t.Context(), next)
	}
}

// expectPresent checks the names that Redis lists as present in the lobby.
func (p *presence) expectPresent(t *testing.T, want ...string) {
	t.Helper()
	_, people, err := p.store.ForUser(streams.User{}).Present(t.Context(), "lobby")
	var names []string
	for _, user := range people {
		names = append(names, user.Name)
	}
	slices.Sort(names)
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("present: got %q, %v; want %q", names, err, want)
	}
}

func TestPresenceIsReportedAgainAfterFailedUpdate(t *testing.T) {
	t.Parallel()
	p, redis := startPresence(t)
	now, connection, nothing := time.Now(), new(listener), func() {}
	for _, user := range []identity.User{ada, bob, eve} {
		p.join("lobby", user, connection)
	}
	p.update(t, &now, nothing)
	p.expectPresent(t, "Ada", "Bob", "Eve")

	// Everyone leaves while updates fail.
	present := redis.Keys(t.Context(), "*:present").Val()[0]
	redis.Rename(t.Context(), present, "aside")
	redis.Set(t.Context(), present, "a value of the wrong type", 0)
	for _, user := range []identity.User{ada, bob, eve} {
		p.leave("lobby", user, now)
	}
	p.join("lobby", identity.User{}, connection)
	p.update(t, &now, nothing)
	redis.Rename(t.Context(), "aside", present)

	// Bob comes back before the next update, and Eve during it.
	p.join("lobby", bob, connection)
	p.update(t, &now, func() { p.join("lobby", eve, connection) })
	p.expectPresent(t, "Bob")
	p.update(t, &now, nothing)
	p.expectPresent(t, "Bob", "Eve")
	if connection.notified != 6 {
		t.Errorf("got %d notifications, want 6", connection.notified)
	}
}

func TestPresenceIsReportedAgainAfterFailedHeartbeat(t *testing.T) {
	t.Parallel()
	p, redis := startPresence(t)
	now := time.Now()
	p.join("lobby", ada, new(listener))
	if updates := p.takeUpdates(now); len(updates) != 1 || len(updates[0].arrived) != 1 {
		t.Fatalf("first updates: got %+v, want one arrival", updates)
	}
	redis.Set(t.Context(), "{0}:servers", "a value of the wrong type", 0)
	p.heartbeat(t.Context(), now)
	if updates := p.takeUpdates(now.Add(roomInterval)); len(updates) != 1 || len(updates[0].arrived) != 1 {
		t.Errorf("updates after the failed heartbeat: got %+v, want one arrival", updates)
	}
}
