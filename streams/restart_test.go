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
)

func TestRedisRestartUnderLoad(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	status := make(chan bool, 100)
	store := redistest.Open(t, streams.Options{
		Redis: server.Redis(), Durability: streams.Disk,
		OnStatus: func(away bool) { status <- away },
	})
	f := follow(t, store, "lobby", streams.After(streams.Cursor{}))
	f.nextState()
	reached := make(chan struct{}, 1000)
	var sent atomic.Int64
	done := make(chan map[string]streams.ID)
	const authors, each = 6, 100
	go func() {
		done <- appendAll(t, store, authors, each, func(int, int) bool {
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
			t.Fatal("got status back, want away")
		}
		if !store.Away() || !errors.Is(store.Health(context.Background()), streams.ErrUnavailable) {
			t.Error("while Redis is down: got Away() = false or healthy, want true and ErrUnavailable")
		}
		server.Restart()
		if away := <-status; away {
			t.Fatal("got status away, want back")
		}
	}
	stored := <-done
	f.expect(authors * each)
	for i, entry := range f.entries {
		if entry.Number != int64(i+1) || stored[entry.Key] != entry.ID {
			t.Fatalf("entry %d: got %+v, want number %d and ID %v", i, entry, i+1, stored[entry.Key])
		}
	}
	if len(f.states) != 1 {
		t.Errorf("got states %v, want one", f.states)
	}
	if err := store.Health(context.Background()); err != nil {
		t.Errorf("Health after the last restart: got error %v, want none", err)
	}
}

// A syncBuffer is a buffer that is safe for concurrent use.
type syncBuffer struct {
	mu   sync.Mutex
	text []byte
}

func (l *syncBuffer) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line...)
	return len(line), nil
}

func (l *syncBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func TestOutageIsLoggedOnce(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	status, log := make(chan bool, 10), new(syncBuffer)
	store := redistest.Open(t, streams.Options{
		Redis: server.Redis(), Log: slog.New(slog.NewTextHandler(log, nil)),
		OnStatus: func(away bool) { status <- away },
	})
	follow(t, store, "lobby", streams.Newest(0)).nextState()
	for range 2 { // the first time, the tail may not be reading yet
		server.Kill()
		<-status
		server.Restart()
		<-status
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	lines = lines[max(0, len(lines)-4):]
	if len(lines) != 4 || !strings.Contains(lines[0], "back") || !strings.Contains(lines[1], "lost the connection") ||
		!strings.Contains(lines[2], "away") || !strings.Contains(lines[2], "dial unix") || !strings.Contains(lines[3], "back") {
		t.Errorf("got log lines %q, want back, lost the connection, away, back", lines)
	}
}

// After a router restarts, or while a proxy has too many connections, the first attempt to reconnect may
// fail.
func TestBriefDisconnectIsNotAnOutage(t *testing.T) {
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
	f.nextState()
	client := server.Client()
	defer client.Close()
	for i := range 3 {
		post(t, store, "lobby", "before")
		f.expect(2*i + 1)
		refuse.Store(1)
		client.ClientKillByFilter(context.Background(), "TYPE", "normal", "SKIPME", "yes")
		eventually(t, "a refused connection", func() bool { return refuse.Load() < 0 })
		eventually(t, "an append to succeed", func() bool { return tryPost(store, "lobby", "after") == nil })
		f.expect(2*i + 2)
	}
	if len(status) != 0 || len(f.states) != 1 {
		t.Errorf("got states %v and %d status changes, want one and none", f.states, len(status))
	}
}

func TestRedisFull(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	fx := newFixture(t, streams.Options{})
	first := fx.stored[0].Cursor
	fx.do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	fx.do("CONFIG", "SET", "maxmemory", usedMemory(fx)+2<<20)
	if err := fx.store.Health(ctx); err != nil {
		t.Fatalf("Health before: got error %v, want none", err)
	}
	f := follow(t, fx.store, "lobby", streams.Newest(0))
	f.nextState()
	long := strings.Repeat("long ", 800)
	var err error
	for _, text := range []string{long, "short"} { // a long message also needs memory while Redis receives it
		for sent, refused := 0, 0; sent < 50_000 && refused < 20; sent++ {
			refused++
			if err = tryPost(fx.store, "lobby", text); err == nil {
				refused = 0
			}
		}
	}
	if !errors.Is(err, streams.ErrFull) {
		t.Fatalf("append to a full Redis: got error %v, want ErrFull", err)
	}
	if err := fx.store.Health(ctx); !errors.Is(err, streams.ErrFull) {
		t.Errorf("Health: got error %v, want ErrFull", err)
	}
	// Used memory fluctuates, so a few more messages may fit.
	for i := 0; ; i++ {
		if err = tryPost(fx.store, fmt.Sprint("new-", i), "x"); errors.Is(err, streams.ErrFull) {
			break
		}
		if i == 1000 {
			t.Fatalf("append to a new room: got error %v, want ErrFull", err)
		}
	}

	// Reads still work.
	page, err := fx.store.As(ada).Page(ctx, "lobby", streams.PageQuery{Limit: 5})
	if err != nil || len(page.Entries) != 5 {
		t.Errorf("page: got %d messages, %v, want 5", len(page.Entries), err)
	}
	f.readUntil("all stored messages", func() bool { return f.cursor.ID == page.AsOf.ID })
	back := follow(t, fx.store, "lobby", streams.After(first))
	if got := back.nextState(); got.State != streams.Resumed {
		t.Errorf("got state %v, want resumed", got)
	}

	// Commands that free memory still work.
	amend(t, fx.store, streams.Delete, page.Entries[0].ID, "")
	f.readUntil("the deletion", func() bool { return f.entries[len(f.entries)-1].Kind == streams.Delete })
	limited := redistest.Open(t, streams.Options{Redis: fx.Redis, MaxCount: 50})
	if err := tryPost(limited, "lobby", "fits after the trim"); err != nil {
		t.Errorf("append with a limited history: got error %v, want none", err)
	}
	fx.do("CONFIG", "SET", "maxmemory", usedMemory(fx)+20<<20)
	if err := tryPost(fx.store, "lobby", "more"); err != nil {
		t.Errorf("append with more memory: got error %v, want none", err)
	}
	if err := fx.store.Health(ctx); err != nil {
		t.Errorf("Health with more memory: got error %v, want none", err)
	}
}

func usedMemory(fx *fixture) (used int) {
	for line := range strings.Lines(fx.Client.Info(context.Background(), "memory").Val()) {
		fmt.Sscanf(line, "used_memory:%d", &used)
	}
	return used
}
