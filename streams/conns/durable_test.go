//go:build unix

package conns_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// A caller repeats a change that was not confirmed. The repetition finds the change made and writes nothing, but must not be
// confirmed either before a replica has the change. Since Redis 7.2, WAIT alone would confirm it.
func TestRepeatedChangeIsConfirmedOnlyWithAReplica(t *testing.T) {
	t.Parallel()
	primary := redistest.StartTCP(t, "--repl-diskless-sync-delay", "0")
	host, port, err := net.SplitHostPort(primary.Addr)
	if err != nil {
		t.Fatal(err)
	}
	replica := redistest.StartTCP(t, "--replicaof", host, port)
	once := redis.NewScript(`return redis.call('SETNX', KEYS[1], 1)`)
	change := func(key string) error { // over a new connection
		set := conns.New(conns.Options{Redis: primary.Redis(), Stream: "s", Replicate: true})
		defer set.Close()
		return set.RunDurably(t.Context(), conns.Call{Script: once, Keys: []string{key}}).Err()
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
	for _, attempt := range []string{"a change", "its repetition"} {
		if err := change("second"); !errors.Is(err, conns.ErrNotReplicated) {
			t.Errorf("%s while the replica hangs: got error %v, want ErrNotReplicated", attempt, err)
		}
	}
	replica.Resume()
	confirmed("second")
}
