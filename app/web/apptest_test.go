package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/chat"
	"burble/app/identity"
	"burble/app/live"
	"burble/app/peer"
	"burble/app/protocol"
	"burble/streams"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// settings configure a test's server. Nothing is limited unless a test says so.
type settings struct {
	RateMessages, RateAddress, RateConnections float64
	TrustedProxy                               string
	Origins                                    []string
	Heartbeat                                  time.Duration
	MaxCount                                   int64
}

// testServer is one Server in this process, over a Store and on a port of its own.
type testServer struct {
	*Server
	t      testing.TB
	host   string // 127.0.0.1:port
	client *http.Client
	store  *streams.Store
	engine *live.Engine
	logged *logbook
	end    func() // as SIGTERM does, once; the end of the test calls it too
}

// liveServers counts the servers that run, so that the last one to end can look
// for what was left behind.
var liveServers atomic.Int32

// startServer serves from the given Redis until the test ends.
func startServer(t testing.TB, at *redis.UniversalOptions, changes ...func(*settings)) *testServer {
	t.Helper()
	liveServers.Add(1)
	t.Cleanup(func() {
		if liveServers.Add(-1) == 0 {
			expectNoGoroutines(t)
		}
	})
	set := settings{TrustedProxy: peer.ProxyNone}
	for _, change := range changes {
		change(&set)
	}
	s := &testServer{t: t, logged: new(logbook)}
	log := slog.New(slog.NewTextHandler(s.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.engine = live.New(live.Options{Log: log, Heartbeat: set.Heartbeat})
	s.store = redistest.Open(t, streams.Options{Redis: at, Log: log, MaxCount: set.MaxCount, OnStatus: s.engine.SetStatus})
	secret, err := s.store.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	service := chat.New(s.store, chat.Options{Log: log, MessageRate: set.RateMessages, EncodePresent: live.PresentFrame})
	s.Server = New(Options{
		Log: log, Chat: service, Live: s.engine, Tokens: identity.NewTokens(secret), Durability: streams.Memory,
		Origins: set.Origins, TrustedProxy: set.TrustedProxy, RequestRate: set.RateAddress, ConnectionRate: set.RateConnections,
	})
	s.serve(service.Run, s.engine.Run)
	return s
}

// startTwo starts two servers on one Redis, the normal case.
func startTwo(t testing.TB, at *redis.UniversalOptions) (here, there *testServer) {
	t.Helper()
	return startServer(t, at), startServer(t, at)
}

// startAlone starts one server on a miniredis, where it does not matter which.
func startAlone(t testing.TB, changes ...func(*settings)) *testServer {
	t.Helper()
	return startServer(t, imitation(t), changes...)
}

// imitation is a miniredis of this test.
func imitation(t testing.TB) *redis.UniversalOptions {
	return &redis.UniversalOptions{Addrs: []string{miniredis.RunT(t).Addr()}}
}

// withoutStore starts a server whose every use of the store panics.
func (s *testServer) withoutStore() *testServer {
	s.t.Helper()
	engine := live.New(live.Options{Log: s.log})
	options := s.options
	options.Chat, options.Live = chat.New(nil, chat.Options{Log: s.log}), engine
	broken := &testServer{Server: New(options), t: s.t, engine: engine, logged: s.logged}
	broken.serve(engine.Run)
	return broken
}

// serve serves, and runs the parts meanwhile, until the test ends.
func (s *testServer) serve(run ...func(context.Context) error) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.host = listener.Addr().String()
	s.client = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 4},
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx, cancel := context.WithCancel(context.Background())
	parts, stopParts := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range run {
		running.Go(func() { run(parts) })
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	s.end = sync.OnceFunc(func() {
		s.client.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("serve: %v", err)
		}
		stopParts()
		running.Wait()
	})
	s.t.Cleanup(s.end)
}

// expectNoGoroutines fails if a goroutine of ours outlives what started it.
func expectNoGoroutines(t testing.TB) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		left = left[:0]
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			test := strings.Contains(stack, "testing.tRunner") || strings.Contains(stack, "testing.fRunner") || strings.Contains(stack, "testing.(*M)")
			shared := strings.Contains(stack, "redistest.(*Proxy)") // of a Cluster that tests share
			if strings.Contains(stack, "burble/") && !test && !shared {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
}

// logbook keeps what a server logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// answer is what HTTP answered, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// request asks and reads the whole answer. Headers are "Name: value".
func (s *testServer) request(method, path, body string, headers ...string) answer {
	s.t.Helper()
	request, err := http.NewRequest(method, "http://"+s.host+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	setHeaders(request.Header, headers)
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	ask := s.client.Do
	if len(body) > protocol.MaxFrame || len(headers) > 0 && len(headers[0]) > protocol.MaxFrame/4 {
		ask = s.atOnce
	}
	response, err := ask(request)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{response.StatusCode, response.Header, string(read)}
}

// atOnce sends a whole request in one write. The server hangs up on one that is too
// big, and net/http, still writing, may see nothing else.
func (s *testServer) atOnce(request *http.Request) (*http.Response, error) {
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		return nil, err
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	var whole bytes.Buffer
	if err := request.Write(&whole); err != nil {
		return nil, err
	}
	if _, err := conn.Write(whole.Bytes()); err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(conn), request)
}

func setHeaders(header http.Header, lines []string) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		header.Add(name, value)
	}
}

func (s *testServer) get(path string, headers ...string) answer {
	s.t.Helper()
	return s.request("GET", path, "", headers...)
}

func (s *testServer) postJSON(path, body string, headers ...string) answer {
	s.t.Helper()
	return s.request("POST", path, body, append(headers, "Content-Type: application/json")...)
}

func (s *testServer) postForm(path, body string, headers ...string) answer {
	s.t.Helper()
	return s.request("POST", path, body, append(headers, "Content-Type: application/x-www-form-urlencoded")...)
}

// decode reads the answer's JSON.
func (a answer) decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("%v in %d %s", err, a.status, a.body)
	}
}

// toldError is an error as HTTP tells it.
type toldError struct {
	Error struct{ Code, Message, Field string }
}

// expectRefusal checks a refused request: status, code and field.
func (a answer) expectRefusal(t testing.TB, status int, code protocol.Code, field string) {
	t.Helper()
	var told toldError
	a.decode(t, &told)
	if a.status != status || told.Error.Code != string(code) || told.Error.Field != field || told.Error.Message == "" {
		t.Errorf("answered %d %s, want %d, code %s, field %q", a.status, a.body, status, code, field)
	}
}

// testGuest is somebody who gave a name.
type testGuest struct {
	User  struct{ ID, Name string }
	Token string
}

// bearer is the header that says who it is.
func (g testGuest) bearer() string { return "Authorization: Bearer " + g.Token }

// guest makes a guest, as a program does it.
func (s *testServer) guest(name string) testGuest {
	s.t.Helper()
	given := s.postJSON("/session", fmt.Sprintf(`{"name":%q}`, name))
	if given.status != http.StatusOK {
		s.t.Fatalf("session: %d %s", given.status, given.body)
	}
	var guest testGuest
	given.decode(s.t, &guest)
	return guest
}

// say stores a message by HTTP.
func (s *testServer) say(guest testGuest, room, text string) posted {
	s.t.Helper()
	body, _ := json.Marshal(map[string]string{"text": text})
	given := s.postJSON("/r/"+room+"/messages", string(body), guest.bearer())
	if given.status != http.StatusCreated {
		s.t.Fatalf("say: %d %s", given.status, given.body)
	}
	var stored posted
	given.decode(s.t, &stored)
	return stored
}

// gotEntry is an entry as any surface of the protocol shows it.
type gotEntry struct {
	ID        string                     `json:"id"`
	N         int64                      `json:"n"`
	Kind      string                     `json:"kind"`
	Key       string                     `json:"key"`
	Of        string                     `json:"of"`
	User      *struct{ ID, Name string } `json:"user"`
	Text      string                     `json:"text"`
	HTML      *string                    `json:"html"`
	ReplyTo   string                     `json:"reply_to"`
	Emoji     string                     `json:"emoji"`
	On        *bool                      `json:"on"`
	Edited    string                     `json:"edited"`
	Reactions map[string][]string        `json:"reactions"`
	Deleted   bool                       `json:"deleted"`
	Cursor    string                     `json:"cursor"`
}

// historyPage is the answer to GET /r/{room}/messages.
type historyPage struct {
	Room    string     `json:"room"`
	AsOf    string     `json:"as_of"`
	Entries []gotEntry `json:"entries"`
	Older   *string    `json:"older"`
	Newer   *string    `json:"newer"`
}

// history is a page of a room.
func (s *testServer) history(room, query string) historyPage {
	s.t.Helper()
	given := s.get("/r/" + room + "/messages" + query)
	if given.status != http.StatusOK {
		s.t.Fatalf("messages%s: %d %s", query, given.status, given.body)
	}
	var page historyPage
	given.decode(s.t, &page)
	return page
}

// ids are the entry IDs, in order.
func ids(entries []gotEntry) []string {
	all := make([]string, len(entries))
	for i := range entries {
		all[i] = entries[i].ID
	}
	return all
}

// texts are the entries' texts, in order.
func texts(entries []gotEntry) []string {
	all := make([]string, len(entries))
	for i := range entries {
		all[i] = entries[i].Text
	}
	return all
}

// newKey is a send key.
func newKey() string { return uuid.NewString() }
