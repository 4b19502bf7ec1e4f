//go:build unix

package streams_test

import (
	"strings"
	"testing"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

// During a failover, one connection may still be to the old primary when another is already to the new one.
// The new primary may lack entries that the old one has.
func TestOldPrimaryDoesNotConfirmCursor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		isReset bool // the new primary has lost the whole room
		before  int  // number of messages that only the new primary has when the tail connects to it
		after   int  // number of messages posted to the new primary later
	}{
		"new primary has a message":   {false, 1, 0},
		"new primary gets a message":  {false, 0, 1},
		"new primary has nothing new": {false, 0, 0},
		"new primary lost the room":   {true, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testHalfFailover(t, test.isReset, test.before, test.after)
		})
	}
}

// The first reader of a room looks up the room's end on the old primary, while the tail already reads from
// the new primary, whose history differs. By chance, the numbers in the new history may continue those in
// the old one.
func TestFollowOnOldPrimaryIsCheckedOnNewPrimary(t *testing.T) {
	t.Parallel()
	old, successor := redistest.StartTCP(t), redistest.StartTCP(t)
	before, after := clientOf(t, old), clientOf(t, successor)
	proxy := redistest.StartProxy(t, old.Addr)
	store := redistest.Open(t, streams.Options{Redis: &conns.Address{Addrs: []string{proxy.Addr}}})
	post(t, store, "lobby", "kept")
	replicate(t, before, after, old.Addr, func() bool { return after.XLen(t.Context(), lobbyKey).Val() == 1 })
	proxy.RouteNew(successor.Addr)
	killBlocked(t, before)
	eventually(t, "the tail to block on the new primary", func() bool { return isBlockedOn(t, after, 1) })

	onSuccessor := redistest.Open(t, streams.Options{Redis: successor.Redis()})
	post(t, onSuccessor, "lobby", "new")
	post(t, store, "lobby", "lost")
	successor.Pause() // otherwise the tail could detect the failover before the reader does
	reader := follow(t, store, "lobby", streams.Newest(10))
	reader.readUntil("kept lost", func() bool { return len(reader.entries) == 2 })
	old.Kill()
	successor.Resume()
	post(t, onSuccessor, "lobby", "newer")
	const want = "kept lost kept new newer"
	reader.readUntil(want, func() bool { return texts(reader.entries) == want })
	if got := reader.states[len(reader.states)-1].State; got != streams.Reset {
		t.Errorf("got state %v, want reset", got)
	}
}

func testHalfFailover(t *testing.T, isReset bool, before, after int) {
	old, successor := redistest.StartTCP(t), redistest.StartTCP(t)
	oldClient, newClient := clientOf(t, old), clientOf(t, successor)
	proxy := redistest.StartProxy(t, old.Addr)
	store := redistest.Open(t, streams.Options{Redis: &conns.Address{Addrs: []string{proxy.Addr}}})
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
	onSuccessor := redistest.Open(t, streams.Options{Redis: successor.Redis()})
	for range before {
		post(t, onSuccessor, "lobby", "new")
	}

	// The tail reconnects to the successor. Other reads keep their connections to the old primary.
	proxy.RouteNew(successor.Addr)
	killBlocked(t, oldClient)
	failsToRead := func() bool {
		_, err := reader.next()
		return err != nil
	}
	if isReset || before == 0 {
		eventually(t, "the tail to block on the new primary", func() bool { return isBlockedOn(t, newClient, 2) })
		reader.readAvailable()
	}
	for range after { // earlier confirmations of the cursor are no longer valid
		post(t, onSuccessor, "lobby", "new")
	}
	if !isReset && before+after > 0 {
		eventually(t, "a read to fail", failsToRead)
	}
	reader.readAvailable()
	if len(reader.entries) != 11 || len(reader.states) != 1 {
		t.Fatalf("got %q and states %v, want 11 messages and one state", texts(reader.entries), reader.states)
	}
	old.Kill()
	if got := reader.nextState(); got.State != streams.Reset {
		t.Errorf("got state %v, want reset", got)
	}
	want := "lost" + strings.Repeat(" kept", 10) + strings.Repeat(" new", before+after)
	if isReset {
		want = "lost new"
	}
	reader.readUntil(want, func() bool { return strings.HasSuffix(texts(reader.entries), want) })
}

// replicate makes replica replicate the primary at the address until the condition is met.
func replicate(t *testing.T, primary, replica redistest.Client, address string, met func() bool) {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	primary.ConfigSet(t.Context(), "repl-diskless-sync-delay", "0")
	replica.ReplicaOf(t.Context(), host, port)
	eventually(t, "the replica to be in sync", met)
	replica.ReplicaOf(t.Context(), "no", "one")
}

// isBlockedOn reports whether the tails of this many Stores block on the server.
func isBlockedOn(t *testing.T, client redistest.Client, stores int) bool {
	t.Helper()
	return strings.Count(client.ClientList(t.Context()).Val(), " cmd=xread") == stores
}

// killBlocked waits until connections block in an XREAD, and kills them.
func killBlocked(t *testing.T, client redistest.Client) {
	t.Helper()
	eventually(t, "a blocked connection", func() (isKilled bool) {
		for line := range strings.Lines(client.ClientList(t.Context()).Val()) {
			if strings.Contains(line, " cmd=xread") {
				id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
				client.ClientKillByFilter(t.Context(), "ID", id)
				isKilled = true
			}
		}
		return isKilled
	})
}
