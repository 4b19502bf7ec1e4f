package presence

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

var (
	ada = streams.User{ID: "1", Name: "Ada"}
	bob = streams.User{ID: "2", Name: "Bob"}
	eve = streams.User{ID: "3", Name: "Eve"}
)

// listener is a Listener that counts its notifications.
type listener struct{ notified int }

func (l *listener) Notify(string, []byte) { l.notified++ }
func (l *listener) Closed() bool          { return false }

func TestPresenceIsReportedAgainAfterFailedUpdate(t *testing.T) {
	t.Parallel()
	p, redis := start(t)
	now, connection, nothing := time.Now(), new(listener), func() {}
	for _, user := range []streams.User{ada, bob, eve} {
		p.join("lobby", user, connection)
	}
	p.update(t, &now, nothing)
	p.expectPresent(t, "Ada", "Bob", "Eve")

	// Everyone leaves while updates fail.
	present := redis.Keys(t.Context(), "*:present").Val()[0]
	redis.Rename(t.Context(), present, "aside")
	redis.Set(t.Context(), present, "a value of the wrong type", 0)
	for _, user := range []streams.User{ada, bob, eve} {
		p.leave("lobby", user.ID, now)
	}
	p.join("lobby", streams.User{}, connection)
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
	p, redis := start(t)
	now := time.Now()
	p.join("lobby", ada, new(listener))
	if updates, _ := p.takeUpdates(now); len(updates) != 1 || len(updates[0].arrived) != 1 {
		t.Fatalf("first updates: got %+v, want one arrival", updates)
	}
	redis.Set(t.Context(), "{0}:servers", "a value of the wrong type", 0)
	p.heartbeat(t.Context(), now)
	if updates, _ := p.takeUpdates(now.Add(roomInterval)); len(updates) != 1 || len(updates[0].arrived) != 1 {
		t.Errorf("updates after the failed heartbeat: got %+v, want one arrival", updates)
	}
}

// If a signal arrives before an older list of people, the listeners get a new list.
func TestOutdatedListOfPeopleIsReplaced(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	ctx, other := t.Context(), p.store
	signaled := make(chan struct{}, 1)
	reader, err := other.As(bob).Follow("lobby", streams.Newest(0), func(*streams.Reader) {
		select {
		case signaled <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	awaitSignals(t, p.store.As(bob), reader, signaled)
	now, connection := time.Now(), new(listener)
	var lists []string
	p.encode = func(_ string, _ int, people []streams.User) []byte {
		if lists = append(lists, people[0].Name); len(lists) > 1 {
			return nil
		}
		renamed := streams.Arrival{User: streams.User{ID: ada.ID, Name: "Lovelace"}, NamedAt: now}
		other.UpdatePresence(ctx, "another server", streams.PresenceChange{Room: "lobby", Here: []streams.Arrival{renamed}})
		for {
			read, err := reader.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, signal := range read.Signals {
				if signal.User.Name == "Lovelace" {
					return nil
				}
			}
			if read.IsEmpty() {
				select {
				case <-signaled:
				case <-time.After(time.Minute):
					t.Fatal("timed out waiting for the signal")
				}
			}
		}
	}
	p.join("lobby", ada, connection)
	p.update(t, &now, func() {})
	p.update(t, &now, func() {})
	p.update(t, &now, func() {})
	if got := strings.Join(lists, ", "); got != "Ada, Lovelace" {
		t.Errorf("the lists name %s, want Ada, then Lovelace", got)
	}
}

// awaitSignals sends signals until the reader returns one. Signals sent before the Store starts reading
// activity are lost.
func awaitSignals(t *testing.T, access streams.Access, reader *streams.Reader, readable <-chan struct{}) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		if err := access.Signal(t.Context(), "lobby", streams.Typing); err != nil {
			t.Fatal(err)
		}
		select {
		case <-readable:
		case <-time.After(10 * time.Millisecond):
		}
		for {
			read, err := reader.Next(t.Context())
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("the reader returned no signal: %v", err)
			}
			if len(read.Signals) > 0 {
				return
			}
			if read.IsEmpty() {
				break
			}
		}
	}
}

// countingListener counts its notifications, and closes the channel first when it receives one.
type countingListener struct {
	notified atomic.Int64
	first    chan struct{}
}

func newCountingListener() *countingListener { return &countingListener{first: make(chan struct{})} }

func (l *countingListener) Notify(string, []byte) {
	if l.notified.Add(1) == 1 {
		close(l.first)
	}
}

func (l *countingListener) Closed() bool { return false }

// With 10 ms of latency to Redis, a connection that joins thousands of rooms must neither delay others nor make
// another server consider this one dead.
func TestConnectionInManyRoomsDoesNotDelayOthers(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	const rooms = 3500
	server := redistest.StartTCP(t)
	proxy := redistest.StartProxy(t, server.Addr)
	far := &conns.Address{Addrs: []string{proxy.Addr}}
	p, other := run(t, far), run(t, server.Redis())
	other.join("lobby", eve, newCountingListener())
	proxy.SetFaults(redistest.Faults{Delay: 10 * time.Millisecond})

	many, one := newCountingListener(), newCountingListener()
	began := time.Now()
	for i := range rooms {
		p.join(fmt.Sprint("room-", i), ada, many)
	}
	<-many.first
	p.join("lobby", bob, one)
	<-one.first
	t.Logf("bob waited %v, behind %d of %d rooms", time.Since(began).Round(time.Millisecond), many.notified.Load(), rooms)
	if many.notified.Load() > rooms/2 {
		t.Errorf("bob waited for %d of the %d rooms of another connection, want at most half", many.notified.Load(), rooms)
	}
	other.expectPresent(t, "Bob", "Eve")
	for deadline := time.Now().Add(time.Minute); many.notified.Load() < rooms; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute %d rooms are recorded, want %d", many.notified.Load(), rooms)
		}
	}
	t.Logf("all rooms are recorded after %v", time.Since(began).Round(time.Millisecond))
	client := server.Client()
	defer client.Close()
	if stats := client.Info(t.Context(), "commandstats").Val(); strings.Contains(stats, "cmdstat_zrem:") {
		t.Error("a server was removed as dead")
	}
	other.expectPresent(t, "Bob", "Eve")
}

// A server must keep sending heartbeats even while its updates are slow.
func TestHeartbeatsContinueWhileRoomsAreRecorded(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	p.heartbeats.interval = 10 * time.Millisecond
	p.join("lobby", ada, new(listener))
	blocked, release := make(chan struct{}), make(chan struct{})
	p.encode = func(string, int, []streams.User) []byte {
		close(blocked)
		<-release
		return nil
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	<-blocked
	next := func() time.Time {
		p.heartbeats.mu.Lock()
		defer p.heartbeats.mu.Unlock()
		return p.heartbeats.next
	}
	first, deadline := next(), time.Now().Add(time.Minute)
	for next().Equal(first) {
		if time.Now().After(deadline) {
			t.Fatal("no heartbeat while a room is being recorded")
		}
		time.Sleep(time.Millisecond)
	}
	close(release)
	stop()
	<-ended
}

// In a hidden room, a listener whose user was removed after they joined gets no list of people.
func TestRemovedListenerGetsNoPeople(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	creator := p.store.AsRanked(ada, streams.Account)
	room, err := creator.CreatePrivate(t.Context(), "Launch", []streams.User{bob})
	if err != nil {
		t.Fatal(err)
	}
	var stays, leaves listener
	p.Join(room, streams.Arrival{User: ada}, creator, &stays)
	p.Join(room, streams.Arrival{User: bob}, p.store.AsRanked(bob, streams.Account), &leaves)
	now := time.Now()
	p.update(t, &now, func() {
		entry := streams.Entry{Kind: streams.MemberChanged, Key: uuid.NewString(), Member: bob, Role: streams.NoRole}
		if _, err := creator.Append(t.Context(), room, entry); err != nil {
			t.Fatal(err)
		}
	})
	if stays.notified != 1 || leaves.notified != 0 {
		t.Errorf("the member got %d lists and the removed user %d, want 1 and 0", stays.notified, leaves.notified)
	}
}
