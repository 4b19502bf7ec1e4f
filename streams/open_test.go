package streams_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestOpenWaitsForARedisThatStartsLater(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill()
	if _, err := streams.Open(context.Background(), streams.Options{Redis: server.Redis()}); err == nil {
		t.Fatal("opened a redis that is not there")
	}
	opened := make(chan error)
	go func() {
		store, err := streams.Open(context.Background(), streams.Options{Redis: server.Redis(), Wait: time.Minute})
		if err == nil {
			err = store.Close()
		}
		opened <- err
	}()
	server.Restart()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

func TestOpenDoesNotWaitForWhatWaitingCannotMend(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := server.Client()
	defer admin.Close()
	admin.ConfigSet(context.Background(), "requirepass", "right")
	wrong := server.Redis()
	wrong.Password = "wrong"
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	for name, options := range map[string]streams.Options{
		"no password":        {Redis: server.Redis(), Wait: time.Hour},
		"the wrong password": {Redis: wrong, Wait: time.Hour},
	} {
		if _, err := streams.Open(ctx, options); err == nil || ctx.Err() != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenRefusesAPromiseOfDiskThatRedisDoesNotKeep(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]struct {
		args []string
		says string
	}{
		"no append-only file": {nil, "appendonly"},
		"synced each second":  {[]string{"--appendonly", "yes", "--appendfsync", "everysec"}, "appendfsync"},
		"synced always":       {[]string{"--appendonly", "yes", "--appendfsync", "always"}, ""},
	} {
		server := redistest.Start(t, ask.args...)
		store, err := streams.Open(context.Background(), streams.Options{Redis: server.Redis(), Durability: streams.Disk})
		if err == nil {
			store.Close()
		}
		if (err == nil) != (ask.says == "") || err != nil && !strings.Contains(err.Error(), ask.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStoredMeansThatAReplicaHasIt(t *testing.T) {
	t.Parallel()
	primary := startPrimary(t)
	store := redistest.Open(t, streams.Options{Redis: primary.Redis(), Durability: streams.Replica})
	if store.Durability() != streams.Replica {
		t.Errorf("durability %v", store.Durability())
	}
	entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: "x"}
	if _, err := store.Append(context.Background(), "lobby", entry); !errors.Is(err, streams.ErrUnavailable) {
		t.Fatalf("without a replica: %v", err)
	}
	client := primary.Client()
	defer client.Close()
	first := client.XRange(context.Background(), lobbyKey, "-", "+").Val()

	replica := redistest.StartTCP(t, replicaOf(t, primary)...)
	var stored streams.Stored
	within(t, "the same key to be stored on the replica", func() (ok bool) {
		var err error
		stored, err = store.Append(context.Background(), "lobby", entry)
		return err == nil
	})
	if len(first) != 1 || !stored.Repeated || stored.Cursor.ID.String() != first[0].ID {
		t.Errorf("stored as %v, and before as %v", stored, first)
	}
	say(t, store, "lobby", "y")
	second := replica.Client()
	defer second.Close()
	if n := second.XLen(context.Background(), lobbyKey).Val(); n != 2 {
		t.Errorf("told stored, and the replica has %d of 2", n)
	}
}

func TestAllServersShareOneSecret(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		one := redistest.Open(t, streams.Options{Redis: backend.Redis})
		two := redistest.Open(t, streams.Options{Redis: backend.Redis})
		other := redistest.Open(t, streams.Options{Redis: backend.Redis, Prefix: "other:"})
		secrets := make([][]byte, 3)
		var asking sync.WaitGroup
		for i, store := range []*streams.Store{one, two, other} {
			asking.Go(func() {
				var err error
				if secrets[i], err = store.Secret(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		asking.Wait()
		if !bytes.Equal(secrets[0], secrets[1]) || bytes.Equal(secrets[0], secrets[2]) || len(secrets[0]) < 32 {
			t.Errorf("%d, %d and %d bytes, not shared as they should be", len(secrets[0]), len(secrets[1]), len(secrets[2]))
		}
	})
}

func TestPrefixKeepsTwoBurblesApart(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		one := redistest.Open(t, streams.Options{Redis: backend.Redis, Prefix: "one:"})
		two := redistest.Open(t, streams.Options{Redis: backend.Redis, Prefix: "two:"})
		say(t, one, "lobby", "x")
		page, err := two.Page(context.Background(), "lobby", streams.Where{Limit: 5})
		if err != nil || len(page.Entries) != 0 {
			t.Errorf("read through the other: %v, %v", page, err)
		}
		for _, key := range backend.Keys(t) {
			if !strings.HasPrefix(key, "one:") {
				t.Errorf("key %q without its prefix", key)
			}
		}
	})
}
