//go:build unix

package streams_test

import (
	"strings"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// Of a failover one connection may know nothing yet, while another is at the new primary
// already: what the old one says of a place is no proof that the new one has it.
func TestWhatTheOldPrimarySaysIsNotTakenForTheNewOnes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		begins bool // the room begins anew there
		had    int  // so many messages are new there at first,
		comes  int  // and so many come later
	}{
		"which has something new":       {false, 1, 0},
		"which will have something new": {false, 0, 1},
		"which has nothing new":         {false, 0, 0},
		"which had lost all":            {true, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failOverHalfway(t, test.begins, test.had, test.comes)
		})
	}
}

// A room that is joined where only the old primary is asked begins in a history that the
// tail, at the new one already, does not know; and the numbers may go on by chance.
func TestRoomJoinedAtTheOldPrimaryIsCheckedAtTheNewOne(t *testing.T) {
	t.Parallel()
	old, successor := redistest.StartTCP(t), redistest.StartTCP(t)
	before, after := clientOf(t, old), clientOf(t, successor)
	way := redistest.StartProxy(t, old.Addr)
	store := redistest.Open(t, streams.Options{Redis: &redis.UniversalOptions{Addrs: []string{way.Addr}}})
	say(t, store, "lobby", "kept")
	replicate(t, before, after, old.Addr, func() bool { return after.XLen(t.Context(), lobbyKey).Val() == 1 })
	way.Lead(successor.Addr)
	killTheBlocked(t, before)
	within(t, "the tail to be there", func() bool { return isFollowed(t, after, 1) })

	stray := redistest.Open(t, streams.Options{Redis: successor.Redis()})
	say(t, stray, "lobby", "new")
	say(t, store, "lobby", "lost")
	successor.Pause() // or the tail may find out first
	reader := follow(t, store, "lobby", streams.Newest(10))
	reader.until("kept lost", func() bool { return len(reader.all) == 2 })
	old.Kill()
	successor.Resume()
	say(t, stray, "lobby", "newer")
	const want = "kept lost kept new newer"
	reader.until(want, func() bool { return texts(reader.all) == want })
	if got := reader.states[len(reader.states)-1].State; got != streams.Reset {
		t.Errorf("told %v", got)
	}
}

func failOverHalfway(t *testing.T, begins bool, had, comes int) {
	old, successor := redistest.StartTCP(t), redistest.StartTCP(t)
	before, after := clientOf(t, old), clientOf(t, successor)
	way := redistest.StartProxy(t, old.Addr)
	store := redistest.Open(t, streams.Options{Redis: &redis.UniversalOptions{Addrs: []string{way.Addr}}})
	for range 10 {
		say(t, store, "lobby", "kept")
	}
	replicate(t, before, after, old.Addr, func() bool { return after.XLen(t.Context(), lobbyKey).Val() == 10 })
	reader := follow(t, store, "lobby", streams.After(streams.Cursor{}))
	reader.has(10)
	say(t, store, "lobby", "lost")
	reader.has(11)
	if begins {
		after.FlushAll(t.Context())
	}
	stray := redistest.Open(t, streams.Options{Redis: successor.Redis()})
	for range had {
		say(t, stray, "lobby", "new")
	}

	// The tail goes to the successor, and the connections for reading stay.
	way.Lead(successor.Addr)
	killTheBlocked(t, before)
	unsure := func() bool {
		_, err := reader.step()
		return err != nil
	}
	if begins || had == 0 {
		within(t, "the tail to be there", func() bool { return isFollowed(t, after, 2) })
		reader.drain()
	}
	for range comes { // what it is told of its place now proves nothing later
		say(t, stray, "lobby", "new")
	}
	if !begins && had+comes > 0 {
		within(t, "the reader to be unsure", unsure)
	}
	reader.drain()
	if len(reader.all) != 11 || len(reader.states) != 1 {
		t.Fatalf("told %q, %v", texts(reader.all), reader.states)
	}
	old.Kill()
	if got := reader.state(); got.State != streams.Reset {
		t.Errorf("told %v", got)
	}
	want := "lost" + strings.Repeat(" kept", 10) + strings.Repeat(" new", had+comes)
	if begins {
		want = "lost new"
	}
	reader.until(want, func() bool { return strings.HasSuffix(texts(reader.all), want) })
}

// replicate has one Redis follow another, at an address, until it has what is wanted.
func replicate(t *testing.T, before, after *redis.Client, address string, has func() bool) {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	before.ConfigSet(t.Context(), "repl-diskless-sync-delay", "0")
	after.ReplicaOf(t.Context(), host, port)
	within(t, "the successor to have it", has)
	after.ReplicaOf(t.Context(), "no", "one")
}

// isFollowed says whether so many Stores wait for what happens there.
func isFollowed(t *testing.T, client *redis.Client, stores int) bool {
	t.Helper()
	return strings.Count(client.ClientList(t.Context()).Val(), " cmd=xread") == stores
}

// killTheBlocked ends the connections that wait in an XREAD, once there are some.
func killTheBlocked(t *testing.T, client *redis.Client) {
	t.Helper()
	within(t, "somebody to wait", func() (killed bool) {
		for line := range strings.Lines(client.ClientList(t.Context()).Val()) {
			if strings.Contains(line, " cmd=xread") {
				id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
				client.ClientKillByFilter(t.Context(), "ID", id)
				killed = true
			}
		}
		return killed
	})
}
