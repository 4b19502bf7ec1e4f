package streams_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"
)

func TestEvictionPolicyIsReported(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]string{
		"noeviction": "", "allkeys-lru": "whole rooms", "allkeys-random": "whole rooms", "volatile-lru": "stored twice", "volatile-ttl": "stored twice",
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "--maxmemory-policy", policy)
			log := new(syncBuffer)
			store := redistest.Open(t, streams.Options{Redis: server.Redis(), Log: slog.New(slog.NewTextHandler(log, nil))})
			for name, text := range map[string]string{"log": log.String(), "Warning": store.Warning()} {
				if (text != "") != (want != "") || !strings.Contains(text, want) || want != "" && !strings.Contains(text, "noeviction") {
					t.Errorf("%s: got %q, want %q in it", name, text, want)
				}
			}
			// An operator may change the policy while the server runs.
			client := clientOf(t, server)
			client.ConfigSet(t.Context(), "maxmemory-policy", "noeviction")
			if err := store.Health(t.Context()); err != nil || store.Warning() != "" {
				t.Errorf("after the change: got error %v, warning %q, want none", err, store.Warning())
			}
		})
	}
}

func TestEvictionPolicyOfEachClusterNodeIsReported(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 0)
	last := cluster.Nodes[len(cluster.Nodes)-1]
	clientOf(t, last.Server).ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru")
	if got := redistest.Open(t, streams.Options{Redis: cluster.Redis()}).Warning(); !strings.Contains(got, "allkeys-lru") {
		t.Errorf("got warning %q, want allkeys-lru in it", got)
	}
}

func TestEvictedKeysAreReported(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--maxmemory-policy", "allkeys-lru")
	log := new(syncBuffer)
	store := redistest.Open(t, streams.Options{Redis: server.Redis(), Log: slog.New(slog.NewTextHandler(log, nil))})
	for _, room := range []string{"a", "b", "c", "d", "e", "f"} {
		postRetrying(t, store, room, strings.Repeat("x", 4000))
	}
	if got := store.EvictedKeys(); got != 0 {
		t.Errorf("before any eviction: got %d evicted keys, want 0", got)
	}
	client := clientOf(t, server)
	if err := client.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ticks, ended := make(chan time.Time), make(chan struct{})
	go func() {
		store.WatchEviction(ctx, ticks)
		close(ended)
	}()
	eventually(t, "evicted keys to be counted", func() bool {
		tryPost(store, "g", strings.Repeat("x", 4000))
		ticks <- time.Now()
		return store.EvictedKeys() > 0
	})
	stop()
	<-ended
	if !strings.Contains(store.Warning(), "evicted") || !strings.Contains(log.String(), "redis evicted keys") {
		t.Errorf("got warning %q and log %s, want evicted keys in both", store.Warning(), log)
	}
	// After a restart, Redis counts from 0.
	client.ConfigSet(t.Context(), "maxmemory", "0")
	postRetrying(t, store, "g", "there is room again")
	if err := store.Health(t.Context()); err != nil {
		t.Error(err)
	}
	before := store.EvictedKeys()
	client.ConfigResetStat(t.Context())
	if err := store.Health(t.Context()); err != nil || store.EvictedKeys() != before {
		t.Errorf("after a restart of Redis: got %v, %d evicted keys, want %d", err, store.EvictedKeys(), before)
	}
}
