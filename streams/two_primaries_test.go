//go:build unix

package streams_test

import (
	"strings"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// During a failover, one connection may still lead to the old primary while another already leads to the
// new one. The new primary may lack entries that the old one has.
func TestOldPrimaryDoesNotConfirmCursor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		isReset bool // the new primary has lost the whole room
		before  int  // number of messages that only the new primary has when the tail reaches it
		after   int  // number of messages posted to the new primary later
	}{
		"the new one has a message":   {false, 1, 0},
		"the new one gets a message":  {false, 0, 1},
		"the new one has nothing new": {false, 0, 0},
		"the new one lost the room":   {true, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testHalfFailover(t, test.isReset, test.before, test.after)
		})
	}
}

// The first reader of a room looks up its end on the old primary, while the tail already reads from the
// new primary, which has another history. The numbers in the two histories may be consecutive by chance.
func TestFollowOnOldPrimaryIsCheckedOnNewPrimary(t *testing.T) {
	t.Parallel()
	old, successor := redistest.StartTCP(t), redistest.StartTCP(t)
	before, after := clientOf(t, old), clientOf(t, successor)
	way := redistest.StartProxy(t, old.Addr)
	store := redistest.Open(t, streams.Options{Redis: &redis.UniversalOptions{Addrs: []string{way.Addr}}})
	post(t, store, "lobby", "kept")
	replicate(t, before, after, old.Addr, func() bool { return after.XLen(t.Context(), lobbyKey).Val() == 1 })
	way.RouteNew(successor.Addr)
	killBlocked(t, before)
	eventually(t, "the tail to get there", func() bool { return isBlockedOn(t, after, 1) })

	stray := redistest.Open(t, streams.Options{Redis: successor.Redis()})
	post(t, stray, "lobby", "new")
	post(t, store, "lobby", "lost")
	successor.Pause() // otherwise the tail could detect the failover before the reader
	reader := follow(t, store, "lobby", streams.Newest(10))
	reader.readUntil("kept lost", func() bool { return len(reader.entries) == 2 })
	old.Kill()
	successor.Resume()
	post(t, stray, "lobby", "newer")
	const want = "kept lost kept new newer"
	reader.readUntil(want, func() bool { return texts(reader.entries) == want })
	if got := reader.states[len(reader.states)-1].State; got != streams.Reset {
		t.Errorf("state %v, want reset", got)
	}
}

func testHalfFailover(t *testing.T, isReset bool, before, after int) {
	old, successor := redistest.StartTCP(t), redistest.StartTCP(t)
	oldClient, newClient := clientOf(t, old), clientOf(t, successor)
	way := redistest.StartProxy(t, old.Addr)
	store := redistest.Open(t, streams.Options{Redis: &redis.UniversalOptions{Addrs: []string{way.Addr}}})
	for range 10 {
		post(t, store, "lobby", "kept")
	}
	replicate(t, oldClient, newClient, old.Addr, func() bool { return newClient.XLen(t.Context(), lobbyKey).Val() == 10 })
	reader := follow(t, store, "lobby", streams.After(streams.Cursor{}))
	reader.expect(10)
	post(t, store, "lobby", "lost")
	reader.expect(11)
	if isReset {
		newClient.FlushAll(t.Context())
	}
	stray := redistest.Open(t, streams.Options{Redis: successor.Redis()})
	for range before {
		post(t, stray, "lobby", "new")
	}

	// The tail reconnects to the successor. The connections for other reads stay.
	way.RouteNew(successor.Addr)
	killBlocked(t, oldClient)
	failsToRead := func() bool {
		_, err := reader.next()
		return err != nil
	}
	if isReset || before == 0 {
		eventually(t, "the tail to get there", func() bool { return isBlockedOn(t, newClient, 2) })
		reader.readAvailable()
	}
	for range after { // earlier confirmations of the cursor are no longer valid
		post(t, stray, "lobby", "new")
	}
	if !isReset && before+after > 0 {
		eventually(t, "a read to fail", failsToRead)
	}
	reader.readAvailable()
	if len(reader.entries) != 11 || len(reader.states) != 1 {
		t.Fatalf("read %q, states %v", texts(reader.entries), reader.states)
	}
	old.Kill()
	if got := reader.nextState(); got.State != streams.Reset {
		t.Errorf("state %v, want reset", got)
	}
	want := "lost" + strings.Repeat(" kept", 10) + strings.Repeat(" new", before+after)
	if isReset {
		want = "lost new"
	}
	reader.readUntil(want, func() bool { return strings.HasSuffix(texts(reader.entries), want) })
}

// replicate makes replica follow the primary at the address until the condition is met.
func replicate(t *testing.T, primary, replica *redis.Client, address string, met func() bool) {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	primary.ConfigSet(t.Context(), "repl-diskless-sync-delay", "0")
	replica.ReplicaOf(t.Context(), host, port)
	eventually(t, "the replica to be in sync", met)
	replica.ReplicaOf(t.Context(), "no", "one")
}

// isBlockedOn reports whether the tails of so many Stores block on a server.
func isBlockedOn(t *testing.T, client *redis.Client, stores int) bool {
	t.Helper()
	return strings.Count(client.ClientList(t.Context()).Val(), " cmd=xread") == stores
}

// killBlocked waits for connections that block in an XREAD, and kills them.
func killBlocked(t *testing.T, client *redis.Client) {
	t.Helper()
	eventually(t, "a blocked connection", func() (killed bool) {
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
