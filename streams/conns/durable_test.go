//go:build unix

package conns_test

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// A caller retries a change that was not confirmed. The retry writes nothing, because the change has already been made.
// It must still not be confirmed before a replica has the change, even if Redis is full. Since Redis 7.2, WAIT alone
// would confirm it.
func TestRetriedChangeIsConfirmedOnlyWithAReplica(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	primary := redistest.StartTCP(t, "--repl-diskless-sync-delay", "0")
	host, port, err := net.SplitHostPort(primary.Addr)
	if err != nil {
		t.Fatal(err)
	}
	replica := redistest.StartTCP(t, "--replicaof", host, port)
	once := redis.NewScript(`return redis.call('EXISTS', KEYS[1]) == 1 and 0 or redis.call('SETNX', KEYS[1], 1)`)
	client := primary.Client()
	defer client.Close()
	limitMemory := func(bytes string) {
		t.Helper()
		if err := client.ConfigSet(t.Context(), "maxmemory", bytes).Err(); err != nil {
			t.Fatal(err)
		}
	}
	change := func(key string) error { // over a new connection
		set := conns.New(conns.Options{Redis: primary.Redis(), Stream: "s", Replicate: true})
		defer set.Close()
		reply, unconfirmed := set.RunDurably(t.Context(), conns.Call{Script: once, Keys: []string{key}})
		return cmp.Or(reply.Err(), unconfirmed)
	}
	confirmed := func(key string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); change(key) != nil; { // change itself waits for a second
			if time.Now().After(deadline) {
				t.Fatalf("the replica did not get %q within a minute", key)
			}
		}
	}
	confirmed("first")
	replica.Pause()
	for _, attempt := range []string{"a change", "its retry", "its retry in a full Redis"} {
		if attempt == "its retry in a full Redis" {
			limitMemory("1")
		}
		if err := change("second"); !errors.Is(err, conns.ErrNotReplicated) {
			t.Errorf("%s while the replica hangs: got error %v, want ErrNotReplicated", attempt, err)
		}
	}
	replica.Resume()
	limitMemory("0")
	confirmed("second")
}

// Without a replica, each change waits for a second. Reads must not queue for a connection behind the changes.
func TestChangesThatWaitForAReplicaLeaveConnectionsForReads(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := redistest.Start(t)
	set := conns.New(conns.Options{Redis: server.Redis(), Stream: "s", Replicate: true})
	defer set.Close()
	observer := server.Client()
	defer observer.Close()
	var changing sync.WaitGroup
	for i := range 10 {
		changing.Go(func() {
			call := conns.Call{Script: increment, Keys: []string{fmt.Sprint("key ", i)}, Weight: 1}
			if reply, unconfirmed := set.RunDurably(t.Context(), call); reply.Err() != nil || !errors.Is(unconfirmed, conns.ErrNotReplicated) {
				t.Errorf("change %d without a replica: got errors %v and %v, want ErrNotReplicated", i, reply.Err(), unconfirmed)
			}
		})
	}
	changed := make(chan struct{})
	go func() {
		changing.Wait()
		close(changed)
	}()
	waiting := 0
	for isDone := false; !isDone; {
		select {
		case <-changed:
			isDone = true
		default:
		}
		info := observer.InfoMap(t.Context(), "clients").Item("Clients", "blocked_clients")
		n, err := strconv.Atoi(info)
		if err != nil {
			t.Fatalf("read the number of blocked clients: %v", err)
		}
		waiting = max(waiting, n)
	}
	if waiting != 1 {
		t.Errorf("%d connections waited for a replica at the same time, want 1", waiting)
	}
	if keys := observer.DBSize(t.Context()).Val(); keys != 10 {
		t.Errorf("Redis has %d changes, want all 10", keys)
	}
}

// A change is made even if no replica can confirm it, so that a ban takes effect at once. This must not depend on whether
// Redis already has the script.
func TestUnconfirmedChangeIsMade(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	set := conns.New(conns.Options{Redis: redistest.Start(t).Redis(), Stream: "s", Replicate: true})
	defer set.Close()
	for want := range 2 {
		call := conns.Call{Script: increment, Keys: []string{"key"}, Weight: 1}
		reply, unconfirmed := set.RunDurably(t.Context(), call)
		if !errors.Is(unconfirmed, conns.ErrNotReplicated) {
			t.Errorf("without a replica: got error %v, want ErrNotReplicated", unconfirmed)
		}
		if n, err := reply.Int(); n != want+1 || err != nil {
			t.Errorf("without a replica: the script replied %d, %v, want %d", n, err, want+1)
		}
	}
}

var increment = redis.NewScript(`return redis.call('INCR', KEYS[1])`)
