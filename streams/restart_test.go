package streams_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

func TestRedisKilledAndRestartedUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	status := make(chan bool, 100)
	store := redistest.Open(t, streams.Options{
		Redis: server.Redis(), Durability: streams.Disk,
		OnStatus: func(away bool) { status <- away },
	})
	f := follow(t, store, "lobby", streams.After(streams.Cursor{}))
	f.state()
	reached := make(chan struct{}, 1000)
	var sent atomic.Int64
	done := make(chan map[string]streams.ID)
	const authors, each = 6, 100
	go func() {
		done <- sendAll(t, store, authors, each, func(int, int) bool {
			if sent.Add(1)%150 == 0 {
				reached <- struct{}{}
			}
			return true
		})
	}()
	for range 2 {
		<-reached
		server.Kill()
		if away := <-status; !away {
			t.Fatal("told back, and was not away")
		}
		if !store.Away() || !errors.Is(store.Health(context.Background()), streams.ErrUnavailable) {
			t.Error("away, and healthy")
		}
		server.Restart()
		if away := <-status; away {
			t.Fatal("told away twice")
		}
	}
	stored := <-done
	f.has(authors * each)
	for i, entry := range f.all {
		if entry.N != int64(i+1) || stored[entry.Key] != entry.ID {
			t.Fatalf("entry %d: %+v, its sender was told %v", i, entry, stored[entry.Key])
		}
	}
	if len(f.states) != 1 {
		t.Errorf("told %v", f.states)
	}
	if err := store.Health(context.Background()); err != nil {
		t.Errorf("in the end: %v", err)
	}
}

// logged is a log that is read while it is written.
type logged struct {
	mu   sync.Mutex
	text []byte
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line...)
	return len(line), nil
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func TestOutageIsLoggedOnceWithItsCause(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	status, log := make(chan bool, 10), new(logged)
	store := redistest.Open(t, streams.Options{
		Redis: server.Redis(), Log: slog.New(slog.NewTextHandler(log, nil)),
		OnStatus: func(away bool) { status <- away },
	})
	follow(t, store, "lobby", streams.Newest(0)).state()
	for range 2 { // the first may come before the store reads
		server.Kill()
		<-status
		server.Restart()
		<-status
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	lines = lines[max(0, len(lines)-4):]
	if len(lines) != 4 || !strings.Contains(lines[0], "back") || !strings.Contains(lines[1], "lost the connection") ||
		!strings.Contains(lines[2], "away") || !strings.Contains(lines[2], "dial unix") || !strings.Contains(lines[3], "back") {
		t.Errorf("logged %q", lines)
	}
}

// A router that is restarted, a proxy that is full: the first try to come back may fail.
func TestConnectionLostAndNotMadeAtOnceIsNothingToTell(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	status := make(chan bool, 10)
	var refuse atomic.Int32
	options := server.Redis()
	options.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
		if refuse.Add(-1) >= 0 {
			return nil, syscall.ECONNREFUSED
		}
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", server.Addr)
	}
	store := redistest.Open(t, streams.Options{Redis: options, OnStatus: func(away bool) { status <- away }})
	f := follow(t, store, "lobby", streams.Newest(0))
	f.state()
	client := server.Client()
	defer client.Close()
	for i := range 3 {
		say(t, store, "lobby", "before")
		f.has(2*i + 1)
		refuse.Store(1)
		client.ClientKillByFilter(context.Background(), "TYPE", "normal", "SKIPME", "yes")
		within(t, "a connection to be refused", func() bool { return refuse.Load() < 0 })
		within(t, "redis to be written to", func() bool { return tell(store, "lobby", "after") == nil })
		f.has(2*i + 2)
	}
	if len(status) != 0 || len(f.states) != 1 {
		t.Errorf("told %v; %d times away or back", f.states, len(status))
	}
}

func TestRedisFull(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	g := newGround(t, streams.Options{})
	first := g.told[0].Cursor
	g.do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	g.do("CONFIG", "SET", "maxmemory", usedMemory(g)+2<<20)
	if err := g.store.Health(ctx); err != nil {
		t.Fatalf("before: %v", err)
	}
	f := follow(t, g.store, "lobby", streams.Newest(0))
	f.state()
	long := strings.Repeat("long ", 800)
	var err error
	for _, text := range []string{long, "short"} { // a long one takes memory on its way in, too
		for sent, refused := 0, 0; sent < 50_000 && refused < 20; sent++ {
			refused++
			if err = tell(g.store, "lobby", text); err == nil {
				refused = 0
			}
		}
	}
	if !errors.Is(err, streams.ErrFull) {
		t.Fatalf("filled up: %v", err)
	}
	if err := g.store.Health(ctx); !errors.Is(err, streams.ErrFull) {
		t.Errorf("health: %v, want full", err)
	}
	if err := tell(g.store, "new", "x"); !errors.Is(err, streams.ErrFull) {
		t.Errorf("a new room: %v, want full", err)
	}

	// Reading goes on.
	page, err := g.store.As(ada).Page(ctx, "lobby", streams.Where{Limit: 5})
	if err != nil || len(page.Entries) != 5 {
		t.Errorf("a page: %d entries, %v", len(page.Entries), err)
	}
	f.until("all that was stored", func() bool { return f.at.ID == page.AsOf.ID })
	back := follow(t, g.store, "lobby", streams.After(first))
	if got := back.state(); got.State != streams.Resumed {
		t.Errorf("resuming: %v", got)
	}

	// What gives memory back is let through.
	amend(t, g.store, streams.Delete, page.Entries[0].ID, "")
	f.until("the deletion", func() bool { return f.all[len(f.all)-1].Kind == streams.Delete })
	kept := redistest.Open(t, streams.Options{Redis: g.Redis, MaxCount: 50})
	if err := tell(kept, "lobby", "there is room again"); err != nil {
		t.Errorf("with a retention: %v", err)
	}
	g.do("CONFIG", "SET", "maxmemory", usedMemory(g)+20<<20)
	if err := tell(g.store, "lobby", "more"); err != nil {
		t.Errorf("with more memory: %v", err)
	}
	if err := g.store.Health(ctx); err != nil {
		t.Errorf("health with more memory: %v", err)
	}
}

// tell says something once, and may fail.
func tell(store *streams.Store, room, text string) error {
	_, err := store.As(ada).Append(context.Background(), room,
		streams.Entry{Kind: streams.Message, Key: uuid.NewString(), User: ada, Text: text})
	return err
}

func usedMemory(g *ground) (used int) {
	for line := range strings.Lines(g.Client.Info(context.Background(), "memory").Val()) {
		fmt.Sscanf(line, "used_memory:%d", &used)
	}
	return used
}
