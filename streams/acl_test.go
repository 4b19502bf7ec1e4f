package streams_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// minimalACL returns the ACL rules that README.md lists.
func minimalACL(t *testing.T, cluster bool) (rights []string) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(readme)) {
		permissions, found := strings.CutPrefix(line, "ACL SETUSER burble ")
		permissions, when, _ := strings.Cut(permissions, "#")
		if found && (when == "" || cluster && strings.Contains(when, "Cluster")) {
			rights = append(rights, strings.Fields(permissions)...)
		}
	}
	return rights
}

func TestMinimalACL(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "chat:"} {
		t.Run("prefix "+prefix, func(t *testing.T) {
			t.Parallel()
			redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
				args := []any{"ACL", "SETUSER", "burble", "reset"}
				for _, right := range minimalACL(t, backend.Redis.IsClusterMode) {
					args = append(args, strings.Replace(right, "~{", "~"+prefix+"{", 1))
				}
				backend.DoOnEach(t, args...)
				backend.DoOnEach(t, "ACL", "LOG", "RESET")
				t.Cleanup(func() { backend.DoOnEach(t, "ACL", "DELUSER", "burble") })
				restricted := *backend.Redis
				restricted.Username, restricted.Password = "burble", "secret"
				callEverything(t, &fixture{T: t, Backend: backend, store: redistest.Open(t, streams.Options{
					Redis: &restricted, Prefix: prefix, MaxCount: 20, MaxAge: time.Hour,
				})}, prefix)
				for _, denied := range backend.Denied(t) {
					t.Errorf("Redis denied %v, want nothing denied", denied)
				}
				expectDenied(t, backend, &restricted, prefix)
			})
		})
	}
}

// callEverything calls each method of a Store and an Access.
func callEverything(t *testing.T, fx *fixture, prefix string) {
	ctx, store := context.Background(), fx.store
	f := follow(t, store, "lobby", streams.Newest(10))
	f.nextState()
	fx.post(10)
	amend(t, store, streams.Edit, fx.stored[0].Cursor.ID, "edited")
	amend(t, store, streams.React, fx.stored[1].Cursor.ID, "👍")
	amend(t, store, streams.Delete, fx.stored[2].Cursor.ID, "")
	topic := streams.Entry{Kind: streams.Topic, Key: uuid.NewString(), User: ada, Text: "tea"}
	check := func(what string, err error) { t.Helper(); checkCall(t, what, err) }
	check("set a topic", second(store.As(topic.User).Append(ctx, "lobby", topic)))
	f.readUntil("the topic", func() bool { return len(f.entries) > 0 && f.entries[len(f.entries)-1].Kind == streams.Topic })
	check("signal", store.As(ada).Signal(ctx, "lobby", streams.Typing))
	f.nextSignal(streams.Typing)
	fx.post(20)
	fx.do("XTRIM", prefix+lobbyKey, "MAXLEN", 5)
	loss{state: streams.Truncated, wantCount: 5}.expect(fx, streams.Cursor{})
	fx.DoOnEach(t, "SCRIPT", "FLUSH")
	for _, query := range []streams.PageQuery{{}, {Before: fx.stored[29].Cursor.ID}, {After: fx.stored[25].Cursor.ID}, {At: time.Now()}} {
		query.Limit = 5
		check("page", second(store.As(ada).Page(ctx, "lobby", query)))
	}
	check("secret", second(store.Secret(ctx)))
	check("enter a room", store.UpdatePresence(ctx, "one", streams.PresenceChange{Room: "lobby", Here: arrivals(ada, bob)})[0].Err)
	check("leave a room", store.UpdatePresence(ctx, "one", streams.PresenceChange{Room: "lobby", Gone: []streams.User{bob}})[0].Err)
	check("signal the count", store.UpdatePresence(ctx, "", streams.PresenceChange{Room: "lobby", SignalCount: true})[0].Err)
	check("names", second(store.As(ada).Names(ctx, "lobby")))
	check("present", store.As(ada).Present(ctx, "lobby").Err)
	check("heartbeat", second(store.Heartbeat(ctx, "one", -time.Second)))
	check("remove dead servers", store.RemoveDeadServers(ctx))
	check("remove a server", store.RemoveServer(ctx, "two"))
	check("mark read", store.As(ada).MarkRead(ctx, "lobby", fx.stored[29].Cursor.ID))
	check("read up to", second(store.As(ada).ReadUpTo(ctx, "lobby")))
	check("rooms", second(store.As(ada).Rooms(ctx, 10)))
	check("topic", second(store.As(ada).Topic(ctx, "lobby")))
	check("changes", second(store.As(ada).Changes(ctx, "lobby", streams.ID{}, fx.stored[29].Cursor.ID)))
	check("about", second(store.As(ada).About(ctx, "lobby")))
	check("scan the rooms", third(store.As(ada).ScanRooms(ctx, "0:0")))
	check("create a public room", second(store.AsRanked(ada, streams.Account).CreatePublic(ctx, "launch", uuid.NewString(), "Launch")))
	check("create a private room", second(store.AsRanked(ada, streams.Account).CreatePrivate(ctx, "Launch", nil)))
	members, err := store.As(ada).Members(ctx, "launch")
	check("members", err)
	check("member", second(store.As(ada).Member(ctx, "launch", ada.ID)))
	check("names of members", second(store.As(ada).MemberNames(ctx, "launch", members)))
	check("name in a room", second(store.As(ada).NameIn(ctx, "lobby", bob.ID)))
	check("delete a room", store.AsRanked(ada, streams.Owner).DeleteRoom(ctx, "launch"))
	check("add a job", store.AddJob(ctx, "job", "1"))
	check("jobs", second(store.Jobs(ctx)))
	check("save a job", store.SaveJob(ctx, "job", "2"))
	check("finish a job", store.FinishJob(ctx, "job"))
	callFiles(t, fx, prefix)
	check("health", store.Health(ctx))
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

// expectDenied checks that the user has no permissions that Burble does not need. WAIT is allowed, although
// only [streams.Replica] needs it.
func expectDenied(t *testing.T, backend redistest.Backend, restricted *conns.Address, prefix string) {
	client := redistest.Connect(t, restricted)
	if err := client.Do(context.Background(), "WAIT", 0, 1).Err(); err != nil {
		t.Errorf("WAIT: got error %v, want none", err)
	}
	for _, command := range [][]any{
		{"FLUSHALL"}, {"FLUSHDB"}, {"CONFIG", "SET", "maxmemory", "1"}, {"CONFIG", "GET", "*"}, {"KEYS", "*"},
		{"SHUTDOWN"}, {"ACL", "WHOAMI"}, {"CLIENT", "LIST"}, {"MONITOR"}, {"REPLICAOF", "NO", "ONE"},
		{"GET", "another"}, {"SET", prefix + "another", "x"}, {"GET", "x" + prefix + "{0}:secret"},
		{"EVAL", "return redis.call('GET', KEYS[1])", 1, "another"},
	} {
		err := client.Do(context.Background(), command...).Err()
		if err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v: got error %v, want NOPERM", command, err)
		}
	}
}

// callFiles calls everything that concerns files.
func callFiles(t *testing.T, fx *fixture, prefix string) {
	ctx, store := context.Background(), fx.store
	checkCall(t, "check an upload", store.As(ada).CheckUpload(ctx, "lobby"))
	file := upload(t, store.As(ada), "lobby", "a.png")
	sent, err := send(store.As(ada), "lobby", "", file)
	checkCall(t, "send a file", err)
	checkCall(t, "file", second(store.As(bob).File(ctx, "lobby", sent.Cursor.ID, 0)))
	amend(t, store, streams.Delete, sent.Cursor.ID, "")
	fx.do("ZADD", prefix+streams.FilesKey("lobby"), 1, file.ID)
	due, err := store.DueFiles(ctx, streams.Bucket("lobby"), 10)
	checkCall(t, "due files", err)
	for _, file := range due {
		checkCall(t, "claim a file", second(store.ClaimFile(ctx, file)))
		checkCall(t, "remove the record of a file", store.RemoveFileRecord(ctx, file))
	}
	if len(due) != 1 {
		t.Errorf("got %d due files, want 1", len(due))
	}
}

func checkCall(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: got error %v, want none", what, err)
	}
}
