package streams_test

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"
)

func TestOpenWaitsForRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill()
	if _, err := streams.Open(context.Background(), streams.Options{Redis: server.Redis()}); err == nil {
		t.Fatal("Open succeeded while Redis was down")
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

func TestOpenFailsAtOnceOnRefusal(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := server.Client()
	defer admin.Close()
	grant := func(user string, rights ...any) {
		if err := admin.Do(context.Background(), append([]any{"ACL", "SETUSER", user, "on", ">right"}, rights...)...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	grant("reader", "~*", "+@all", "-@write")
	grant("plain", "~*", "+@all", "-@scripting")
	grant("guest", "~chat:{*", "+@all")
	admin.ConfigSet(context.Background(), "requirepass", "right")
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	for name, as := range map[string]struct {
		user, password, prefix string
		db                     int
		want                   string
	}{
		"no password":            {want: "NOAUTH"},
		"the wrong password":     {password: "wrong", want: "WRONGPASS"},
		"no such database":       {password: "right", db: 99, want: "DB index"},
		"no write permission":    {user: "reader", password: "right", want: "script"}, // Redis 7.0 and Valkey word this error differently
		"no scripts":             {user: "plain", password: "right", want: "NOPERM"},
		"another prefix":         {user: "guest", password: "right", prefix: "other:", want: "NOPERM"},
		"all needed permissions": {user: "guest", password: "right", prefix: "chat:"},
	} {
		who := server.Redis()
		who.Username, who.Password, who.DB = as.user, as.password, as.db
		store, err := streams.Open(ctx, streams.Options{Redis: who, Prefix: as.prefix, Wait: time.Hour})
		if err == nil {
			store.Close()
		}
		if (err == nil) != (as.want == "") || ctx.Err() != nil || err != nil && !strings.Contains(err.Error(), as.want) {
			t.Errorf("%s: got error %v, want %q in it, or no error if that is empty", name, err, as.want)
		}
	}
}

func TestOpenCanceledReportsCause(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill()
	ctx, cancel := context.WithCancel(context.Background())
	waiting := writerFunc(func(line []byte) (int, error) { cancel(); return len(line), nil })
	_, err := streams.Open(ctx, streams.Options{
		Redis: server.Redis(), Wait: time.Hour, Log: slog.New(slog.NewTextHandler(waiting, nil)),
	})
	if err == nil || !strings.Contains(err.Error(), "dial unix") {
		t.Errorf("got error %v, want the cause, \"dial unix\", in it", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(line []byte) (int, error) { return f(line) }

func TestOpenChecksDiskDurability(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no append-only file": {nil, "appendonly"},
		"fsync every second":  {[]string{"--appendonly", "yes", "--appendfsync", "everysec"}, "appendfsync"},
		"fsync always":        {[]string{"--appendonly", "yes", "--appendfsync", "always"}, ""},
	} {
		server := redistest.Start(t, test.args...)
		store, err := streams.Open(context.Background(), streams.Options{Redis: server.Redis(), Durability: streams.Disk})
		if err == nil {
			store.Close()
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q in it, or no error if that is empty", name, err, test.want)
		}
	}
}

func TestSecretIsShared(t *testing.T) {
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
			t.Errorf("got secrets of %d, %d and %d bytes, want at least 32, the first two equal and the third different", len(secrets[0]), len(secrets[1]), len(secrets[2]))
		}
	})
}

func TestSecretIsReadFromFullRedis(t *testing.T) {
	t.Parallel()
	ctx, server := context.Background(), redistest.Start(t)
	secret, err := redistest.Open(t, streams.Options{Redis: server.Redis()}).Secret(ctx)
	if err != nil {
		t.Fatal(err)
	}
	admin := server.Client()
	defer admin.Close()
	admin.ConfigSet(ctx, "maxmemory", "1")
	read, err := redistest.Open(t, streams.Options{Redis: server.Redis()}).Secret(ctx)
	if err != nil || !bytes.Equal(read, secret) {
		t.Errorf("got a different secret or error %v, want the same secret", err)
	}
}

func TestPrefixSeparatesStores(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		one := redistest.Open(t, streams.Options{Redis: backend.Redis, Prefix: "one:"})
		two := redistest.Open(t, streams.Options{Redis: backend.Redis, Prefix: "two:"})
		post(t, one, "lobby", "x")
		page, err := two.As(ada).Page(context.Background(), "lobby", streams.PageQuery{Limit: 5})
		if err != nil || len(page.Entries) != 0 {
			t.Errorf("page with the other prefix: got %v, %v, want no messages", page, err)
		}
		for _, key := range backend.Keys(t) {
			if !strings.HasPrefix(key, "one:") {
				t.Errorf("got key %q, want prefix \"one:\"", key)
			}
		}
	})
}

// Redis may answer, but refuse appends.
func TestHealthFailsWhenAppendsAreRefused(t *testing.T) {
	t.Parallel()
	ctx, server := context.Background(), redistest.StartTCP(t)
	admin := server.Client()
	defer admin.Close()
	store := redistest.Open(t, streams.Options{Redis: server.Redis()})
	post(t, store, "lobby", "x")
	for name, change := range map[string][2][]any{
		"too few replicas": {{"CONFIG", "SET", "min-replicas-to-write", 1}, {"CONFIG", "SET", "min-replicas-to-write", 0}},
		"no permission":    {{"ACL", "SETUSER", "default", "-@write"}, {"ACL", "SETUSER", "default", "+@all"}},
		"a replica":        {{"REPLICAOF", "127.0.0.1", 1}, {"REPLICAOF", "NO", "ONE"}},
	} {
		for i, healthy := range []bool{false, true} {
			if err := admin.Do(ctx, change[i]...).Err(); err != nil {
				t.Fatal(err)
			}
			eventually(t, name, func() bool { return (store.Health(ctx) == nil) == healthy })
		}
	}
}

func TestOpenOfDistantClusterTakesFewRoundTrips(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 0)
	const delay = 50 * time.Millisecond
	for _, node := range cluster.Nodes {
		node.Proxy.SetFaults(redistest.Faults{Delay: delay})
	}
	fewest := time.Duration(math.MaxInt64)
	for range 5 { // a busy machine adds to the time
		began := time.Now()
		redistest.Open(t, streams.Options{Redis: cluster.Redis()})
		if fewest = min(fewest, time.Since(began)/(2*delay)); fewest <= 30 {
			return
		}
	}
	t.Errorf("Open took %d round trips, want at most 30", fewest) // a command for each of the 16 buckets, one after the other, would need more
}

func TestOpenLogsThatRedisIsSlow(t *testing.T) {
	t.Parallel()
	proxy := redistest.StartProxy(t, redistest.Start(t).Addr)
	proxy.SetFaults(redistest.Faults{Stall: true})
	var lines []string
	answer := writerFunc(func(line []byte) (int, error) {
		lines = append(lines, string(line))
		proxy.SetFaults(redistest.Faults{})
		return len(line), nil
	})
	store, err := streams.Open(t.Context(), streams.Options{
		Redis: &conns.Address{Addrs: []string{proxy.Addr}}, Wait: time.Minute, Log: slog.New(slog.NewTextHandler(answer, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if len(lines) == 0 || !strings.Contains(lines[0], "redis is slow to answer") {
		t.Errorf("got the log %q, want it to start with \"redis is slow to answer\"", lines)
	}
}
