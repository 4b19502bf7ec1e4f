package streams_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// leastRights is what README.md tells an operator to grant, in a Cluster or else.
func leastRights(t *testing.T, cluster bool) (rights []string) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(readme)) {
		given, found := strings.CutPrefix(line, "ACL SETUSER burble ")
		given, when, _ := strings.Cut(given, "#")
		if found && (when == "" || cluster && strings.Contains(when, "Cluster")) {
			rights = append(rights, strings.Fields(given)...)
		}
	}
	return rights
}

func TestAllWorksUnderLeastRights(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "chat:"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			t.Parallel()
			redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
				args := []any{"ACL", "SETUSER", "burble", "reset"}
				for _, right := range leastRights(t, backend.Redis.IsClusterMode) {
					args = append(args, strings.Replace(right, "~{", "~"+prefix+"{", 1))
				}
				backend.Each(t, args...)
				backend.Each(t, "ACL", "LOG", "RESET")
				t.Cleanup(func() { backend.Each(t, "ACL", "DELUSER", "burble") })
				least := *backend.Redis
				least.Username, least.Password = "burble", "secret"
				doEverything(t, &ground{T: t, Backend: backend, store: redistest.Open(t, streams.Options{
					Redis: &least, Prefix: prefix, MaxCount: 20, MaxAge: time.Hour,
				})}, prefix)
				for _, denied := range backend.Denied(t) {
					t.Errorf("denied to Burble: %v", denied)
				}
				isRefused(t, backend, &least, prefix)
			})
		})
	}
}

// doEverything calls each method of the Store, whatever is in it.
func doEverything(t *testing.T, g *ground, prefix string) {
	ctx, store := context.Background(), g.store
	f := follow(t, store, "lobby", streams.Newest(10))
	f.state()
	g.say(10)
	amend(t, store, streams.Edit, g.told[0].Cursor.ID, "edited")
	amend(t, store, streams.React, g.told[1].Cursor.ID, "👍")
	amend(t, store, streams.Delete, g.told[2].Cursor.ID, "")
	topic := streams.Entry{Kind: streams.Topic, Key: uuid.NewString(), User: ada, Text: "tea"}
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("set a topic", second(store.As(topic.User).Append(ctx, "lobby", topic)))
	f.until("the topic", func() bool { return len(f.all) > 0 && f.all[len(f.all)-1].Kind == streams.Topic })
	check("signal", store.As(ada).Signal(ctx, "lobby", streams.Typing))
	f.heard(streams.Typing)
	g.say(20)
	g.do("XTRIM", prefix+lobbyKey, "MAXLEN", 5)
	loss{state: streams.Truncated, left: 5}.check(g, streams.Cursor{})
	g.Each(t, "SCRIPT", "FLUSH")
	for _, where := range []streams.Where{{}, {Before: g.told[29].Cursor.ID}, {After: g.told[25].Cursor.ID}, {At: time.Now()}} {
		where.Limit = 5
		check("page", second(store.As(ada).Page(ctx, "lobby", where)))
	}
	check("secret", second(store.Secret(ctx)))
	check("enter", second(store.UpdatePresence(ctx, "lobby", "one", []streams.User{ada, bob}, nil)))
	check("leave", second(store.UpdatePresence(ctx, "lobby", "one", nil, []streams.User{bob})))
	check("tell the number", store.SignalCount(ctx, "lobby"))
	check("present", third(store.As(ada).Present(ctx, "lobby")))
	check("beat", second(store.Heartbeat(ctx, "one", -time.Second)))
	check("sweep", store.RemoveDeadServers(ctx))
	check("bury", store.RemoveServer(ctx, "two"))
	check("mark", store.As(ada).MarkRead(ctx, "lobby", g.told[29].Cursor.ID))
	check("read up to", second(store.As(ada).ReadUpTo(ctx, "lobby")))
	check("rooms", second(store.As(ada).Rooms(ctx, 10)))
	check("topic", second(store.As(ada).Topic(ctx, "lobby")))
	check("health", store.Health(ctx))
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

// isRefused finds closed to the user what Burble does not need, but not what only some need.
func isRefused(t *testing.T, backend redistest.Backend, least *redis.UniversalOptions, prefix string) {
	client := redis.NewUniversalClient(least)
	defer client.Close()
	if err := client.Do(context.Background(), "WAIT", 0, 1).Err(); err != nil {
		t.Errorf("what an append waits with: %v", err)
	}
	for _, command := range [][]any{
		{"FLUSHALL"}, {"FLUSHDB"}, {"CONFIG", "SET", "maxmemory", "1"}, {"CONFIG", "GET", "*"}, {"KEYS", "*"},
		{"SHUTDOWN"}, {"ACL", "WHOAMI"}, {"CLIENT", "LIST"}, {"MONITOR"}, {"REPLICAOF", "NO", "ONE"},
		{"GET", "another"}, {"SET", prefix + "another", "x"}, {"GET", "x" + prefix + "{0}:secret"},
		{"EVAL", "return redis.call('GET', KEYS[1])", 1, "another"},
	} {
		err := client.Do(context.Background(), command...).Err()
		if err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v: %v", command, err)
		}
	}
}
