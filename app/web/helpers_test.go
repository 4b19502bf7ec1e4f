package web

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/attachments"
	"burble/app/blobs"
	"burble/app/caller"
	"burble/app/chat"
	"burble/app/client"
	"burble/app/identity"
	"burble/app/live"
	"burble/app/peer"
	"burble/app/previews"
	"burble/streams"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
)

// Helpers for this package's tests. A test starts a server, signs users in, and then uses HTTP,
// sockets and streams as clients do. The helpers fail the test if anything goes wrong.
//
// Servers, in helpers_test.go:
//
//	startServer         a server on a Redis; settings configure it
//	startOne            a server on a miniredis
//	startTwo            two servers on one Redis, the normal case
//	startWithoutStore   a server that panics whenever it uses the store
//	newMiniredis        a miniredis for the test
//	shutDown            stops the server as SIGTERM does
//	with                the same server, for a subtest
//	logs                the server's log
//	eventually          waits for a condition
//
// HTTP, in helpers_http_test.go:
//
//	request, get, postJSON, postForm   make a request and read the whole response
//	decode, expectRefusal              decode or check a response
//	signIn, anonymous, bearer          users
//	post, history, ids, texts          messages
//	expectUnchanged                    checks that nothing was stored
//	openStream                         starts a live read; line, event, entry, jsonLine and readN read it
//	validKey, invalidRooms, …          valid and invalid input
//
// WebSockets, in helpers_socket_test.go:
//
//	dial, dialPath            open a socket, or return why it was refused
//	open, connect             open a socket and read its hello
//	send, sendf               send a frame
//	follow, post, appendf     send a frame and read the response
//	read, readNext            read entries and check that none are missing
//	await, awaitText, awaitWhere, awaitReceived   read up to a frame of a type
//	awaitClose                read up to the close frame
//	sync                      read until the server has handled every frame sent

// patience is how long a test waits for something that must happen.
const patience = time.Minute

// The limits of files in tests.
const maxPicture, maxFile = 10 << 20, 25 << 20

// settings configure a test's server. By default, it has no rate limits.
type settings struct {
	RateMessages, RateAddress, RateConnections float64
	TrustedProxy                               string
	Origins, Hosts                             []string
	MetricsToken, SecurityContact              string
	Heartbeat, LeaveGrace                      time.Duration
	MaxCount                                   int64
	Mode                                       streams.Mode
	Previews                                   *previews.Options // completed by startServer; nil for none
	Store                                      blobs.Store       // of files; nil for none
	FilesPerDay                                int64
}

// testServer is a Server in this process, with its own Store and port.
type testServer struct {
	*Server
	t        testing.TB
	host     string // 127.0.0.1:port
	client   *client.Server
	store    *streams.Store
	tokens   *identity.Tokens
	accounts *accounts.Accounts
	engine   *live.Engine
	files    *attachments.Service // nil if there is no store
	logs     *logBuffer
	shutDown func() // stops the server as SIGTERM does; also called when the test ends
}

// runningServers counts running servers, so that the last one to end can check for leaks.
var runningServers atomic.Int32

// startServer starts a server on the given Redis, until the test ends.
func startServer(t testing.TB, at *conns.Address, changes ...func(*settings)) *testServer {
	t.Helper()
	runningServers.Add(1)
	t.Cleanup(func() {
		if runningServers.Add(-1) == 0 {
			expectNoGoroutines(t)
		}
	})
	set := settings{TrustedProxy: peer.ProxyNone}
	for _, change := range changes {
		change(&set)
	}
	s := &testServer{t: t, logs: new(logBuffer)}
	log := slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.engine = live.New(live.Options{Log: log, Heartbeat: set.Heartbeat})
	var err error
	s.store, err = streams.Open(t.Context(), streams.Options{Redis: at, Log: log, Mode: set.Mode, MaxCount: set.MaxCount, OnStatus: s.engine.SetStatus})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := s.store.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.tokens = identity.NewTokens(secret)
	s.accounts = accounts.New(accounts.Options{Redis: s.store.Conns(), Secret: secret, Log: log})
	s.store.Watch(s.accounts.AccessKey(), s.accounts)
	redistest.RunStore(t, s.store)
	service := chat.New(s.store, chat.Options{Log: log, MessageRate: set.RateMessages, LeaveGrace: set.LeaveGrace, EncodePresent: live.PresentFrame, Directory: s.accounts, Secret: secret})
	if set.Store != nil {
		s.files = attachments.New(attachments.Options{
			Store: set.Store, Rooms: service, Redis: s.store.Conns(), Log: log, MaxPicture: maxPicture, MaxFile: maxFile, MaxDay: set.FilesPerDay,
		})
	}
	var cards *previews.Previews
	if set.Previews != nil {
		options := *set.Previews
		options.Log, options.Secret, options.Rooms = log, secret, service
		cards = previews.New(options)
	}
	s.Server = New(Options{
		Previews: cards,
		Log:      log, Chat: service, Live: s.engine, Callers: caller.New(caller.Options{Tokens: s.tokens, Accounts: s.accounts, TrustedProxy: set.TrustedProxy}), Accounts: s.accounts, Mode: set.Mode, Durability: streams.Memory, Version: "v1.2.3", Files: s.files,
		Origins: set.Origins, Hosts: set.Hosts, MetricsToken: set.MetricsToken, SecurityContact: set.SecurityContact, TrustedProxy: set.TrustedProxy, RequestRate: set.RateAddress, ConnectionRate: set.RateConnections,
	})
	s.start(s.accounts.Run, service.Run, s.engine.Run)
	return s
}

// startTwo starts two servers on one Redis.
func startTwo(t testing.TB, at *conns.Address) (here, there *testServer) {
	t.Helper()
	return startServer(t, at), startServer(t, at)
}

// startOne starts one server on a miniredis, for tests that need no real Redis.
func startOne(t testing.TB, changes ...func(*settings)) *testServer {
	t.Helper()
	return startServer(t, newMiniredis(t), changes...)
}

// newMiniredis starts a miniredis and returns its address.
func newMiniredis(t testing.TB) *conns.Address {
	t.Helper()
	return &conns.Address{Addrs: []string{miniredis.RunT(t).Addr()}}
}

// startWithoutStore starts another server, which panics whenever it uses the store.
func (s *testServer) startWithoutStore() *testServer {
	s.t.Helper()
	engine := live.New(live.Options{Log: s.log})
	options := s.options
	options.Chat, options.Live = chat.New(nil, chat.Options{Log: s.log}), engine
	broken := &testServer{Server: New(options), t: s.t, engine: engine, logs: s.logs}
	broken.start(engine.Run)
	return broken
}

// start runs the server and its parts until the test ends.
func (s *testServer) start(parts ...func(context.Context) error) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.host = listener.Addr().String()
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	s.client = &client.Server{URL: "http://" + s.host, Transport: transport}
	ctx, stopServing := context.WithCancel(context.Background())
	running, stopParts := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for _, part := range parts {
		group.Go(func() { part(running) })
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	s.shutDown = sync.OnceFunc(func() {
		transport.CloseIdleConnections()
		stopServing()
		if err := <-served; err != nil {
			s.t.Errorf("serve: %v", err)
		}
		stopParts()
		group.Wait()
	})
	s.t.Cleanup(s.shutDown)
}

// with returns the server for use by a subtest. Failures then count for the subtest, and its sockets
// and streams are closed when it ends.
func (s *testServer) with(t testing.TB) *testServer {
	server := *s
	server.t = t
	return &server
}

// expectNoGoroutines fails the test if a goroutine of this module is still running. If another test
// has started a server, expectNoGoroutines returns, because it runs again when that server ends.
func expectNoGoroutines(t testing.TB) {
	t.Helper()
	var leaked []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if leaked = leakedGoroutines(); len(leaked) == 0 || runningServers.Load() > 0 {
			return
		}
	}
	t.Errorf("%d goroutines are still running:\n%s", len(leaked), strings.Join(leaked, "\n\n"))
}

// leakedGoroutines returns the stacks of this module's goroutines, except those that run tests or
// Clusters shared by tests.
func leakedGoroutines() (leaked []string) {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		isTest := strings.Contains(stack, "testing.tRunner") || strings.Contains(stack, "testing.fRunner") || strings.Contains(stack, "testing.(*M)") || strings.Contains(stack, "testing.(*B)")
		isShared := strings.Contains(stack, "redistest.(*Proxy)")
		if strings.Contains(stack, "burble/") && !isTest && !isShared {
			leaked = append(leaked, stack)
		}
	}
	return leaked
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not true within %v: %s", patience, what)
		}
	}
}

// logBuffer collects a server's log.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
