//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// The helpers of this package:
//
//	join        a member: a client.Bot in one room that keeps what it reads
//	newTalk     many members that talk in one room; compare checks what each one has
//	returner    a client that connects and reads when it is told to
//	commandsOf  how often Redis ran each command; since and total
//	redisStat   a number of Redis's INFO stats
//	expectFewConnections, percentile
//
// Starting servers and reading Redis is apptest's and redistest's.

// crowd is how many clients a reconnect storm or a test of idle sockets has.
const crowd = 2000

// member is a client that stays in one room until the test ends. It reads the room from
// its beginning and fails the test if an entry is missing, comes twice or comes out of
// order.
type member struct {
	*client.Bot
	t    testing.TB
	room string

	mu          sync.Mutex
	entries     []client.Entry
	statuses    []string // of Redis
	closeCodes  []int
	connections int            // made so far
	socket      *client.Socket // the latest
	keys        map[string]bool
}

// join adds a member to the room, connected to any of the servers.
func join(ctx context.Context, t testing.TB, room, token string, servers ...*apptest.Server) *member {
	m := &member{t: t, room: room, keys: make(map[string]bool)}
	m.Bot = &client.Bot{
		Follows: []client.Follow{{Room: room, After: "0-0"}}, MaxBackoff: time.Second,
		Handle: m.handle, Connected: m.connected, Disconnected: m.disconnected,
	}
	for _, server := range servers {
		m.Servers = append(m.Servers, server.Client(token))
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := m.Run(ctx); err != nil {
			t.Errorf("a member was refused: %v", err)
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
	return m
}

func (m *member) handle(frame client.Frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch f := frame.(type) {
	case *client.Followed:
		if f.State != client.Resumed {
			m.t.Errorf("followed is %q, want resumed: %+v", f.State, f)
		}
	case *client.Entries:
		m.entries = append(m.entries, f.Entries...)
	case *client.Status:
		m.statuses = append(m.statuses, f.Redis)
	case *client.Error:
		if !m.keys[f.Key] {
			m.t.Errorf("an error for nothing that was sent: %+v", f)
		}
	}
}

func (m *member) connected(socket *client.Socket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.socket = socket
	m.connections++
}

func (m *member) disconnected(err error) {
	if _, ok := errors.AsType[*client.ChainError](err); ok || errors.Is(err, client.ErrNoAnswer) {
		m.t.Error(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if closed, ok := errors.AsType[*client.CloseError](err); ok {
		m.closeCodes = append(m.closeCodes, closed.Code)
	}
}

// send sends a message under a new key until it is stored, and returns its entry ID.
func (m *member) send(ctx context.Context, text string) (id string, err error) {
	return m.sendUnder(ctx, client.NewKey(), text)
}

// sendUnder is send under a given key.
func (m *member) sendUnder(ctx context.Context, key, text string) (id string, err error) {
	m.mu.Lock()
	m.keys[key] = true
	m.mu.Unlock()
	stored, err := m.Append(ctx, client.Message{Room: m.room, Key: key, Text: text})
	if err != nil {
		return "", err
	}
	return stored.ID, nil
}

// count returns how many entries the member has read.
func (m *member) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}

// await waits until the member has read count entries, and fails the test if it reads more.
func (m *member) await(within time.Duration, count int) {
	m.t.Helper()
	apptest.Eventually(m.t, within, fmt.Sprintf("a member to read %d entries", count), func() bool { return m.count() >= count })
	if got := m.count(); got != count {
		m.t.Errorf("a member read %d entries, want %d", got, count)
	}
}

// cut cuts the member's connection.
func (m *member) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.socket != nil {
		m.socket.Cut()
	}
}

// redisStatuses returns the statuses of Redis the member was sent, and how many
// connections it has made.
func (m *member) redisStatuses() (statuses []string, connections int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.statuses), m.connections
}

// talk is a room full of members, and the messages that were acknowledged to them.
type talk struct {
	t        *testing.T
	ctx      context.Context
	room     string
	members  []*member
	speaking sync.WaitGroup

	mu     sync.Mutex
	stored map[string]string // entry ID by text
}

// talkers is how many members a talk has.
const talkers = 16

// newTalk adds members to a room, all of which use all servers. It ends after two minutes.
func newTalk(t *testing.T, servers ...*apptest.Server) *talk {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	talk := &talk{t: t, ctx: ctx, room: "talk", stored: make(map[string]string)}
	for i := range talkers {
		token := servers[i%len(servers)].SignIn(fmt.Sprint("talker ", i))
		talk.members = append(talk.members, join(ctx, t, talk.room, token, servers...))
	}
	return talk
}

// speak sends count messages of the member, each after the last one is stored.
func (talk *talk) speak(m *member, count int) {
	for range count {
		text := "hello " + client.NewKey()
		id, err := m.send(talk.ctx, text)
		if err != nil {
			talk.t.Errorf("send: %v", err)
			return
		}
		talk.mu.Lock()
		talk.stored[text] = id
		talk.mu.Unlock()
	}
}

// speakUntil has all members speak until the returned function is called, which waits for
// the last answers.
func (talk *talk) speakUntil() (stop func()) {
	enough := make(chan struct{})
	for _, m := range talk.members {
		talk.speaking.Go(func() {
			for talk.ctx.Err() == nil {
				select {
				case <-enough:
					return
				default:
					talk.speak(m, 1)
				}
			}
		})
	}
	return func() { close(enough); talk.speaking.Wait() }
}

// count returns how many messages were acknowledged.
func (talk *talk) count() int {
	talk.mu.Lock()
	defer talk.mu.Unlock()
	return len(talk.stored)
}

// compare checks that Redis has exactly the acknowledged messages, each once, and that
// every member has read exactly these in that order.
func (talk *talk) compare(server *redistest.Server) {
	talk.t.Helper()
	entries := apptest.Entries(talk.t, server, talk.room)
	if len(entries) != talk.count() {
		talk.t.Errorf("%d messages were acknowledged, %d are stored", talk.count(), len(entries))
	}
	for _, entry := range entries {
		text := entry.Values["text"].(string)
		if acknowledged := talk.stored[text]; acknowledged != entry.ID {
			talk.t.Errorf("%q is stored as %s and was acknowledged as %q", text, entry.ID, acknowledged)
		}
	}
	for i, m := range talk.members {
		m.await(20*time.Second, len(entries))
		m.mu.Lock()
		for j, entry := range m.entries[:min(len(m.entries), len(entries))] {
			if entry.ID != entries[j].ID || entry.Text != entries[j].Values["text"] || entry.N != int64(j+1) {
				talk.t.Errorf("talker %d: entry %d is %+v, want %v", i, j+1, entry, entries[j])
				break
			}
		}
		m.mu.Unlock()
	}
}

// returner is a client that connects when it is told to and resumes at its cursor.
type returner struct {
	*client.Socket
	t      *testing.T
	token  string
	cursor string
	count  int // entries read
	chain  client.Chain
}

// connect opens a WebSocket and follows the lobby from the cursor.
func (r *returner) connect(server *apptest.Server) {
	follow := client.Follow{Room: "lobby", After: r.cursor}
	r.chain = client.Chain{}
	r.chain.Sent(follow)
	var err error
	// The queue of a listener is shorter than a crowd, and the kernel refuses the rest.
	for range 20 {
		if r.Socket, err = server.Client(r.token).Dial(r.t.Context(), follow); err == nil {
			r.t.Cleanup(r.Socket.Cut)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.t.Errorf("dial: %v", err)
}

// decoded caches frames by their text: a crowd is sent the same frames, and decoding them
// anew for each client would take more CPU than the server does.
var decoded sync.Map

// next is Next with the cache.
func (r *returner) next() (client.Frame, error) {
	for {
		message, err := r.Read()
		switch {
		case err != nil:
			return nil, err
		case message.Op == client.OpPing:
			if err := r.WriteMessage(client.OpPong, message.Data); err != nil {
				return nil, err
			}
			continue
		case message.Op == client.OpClose:
			return nil, fmt.Errorf("closed: %q", message.Data)
		}
		if frame, ok := decoded.Load(string(message.Data)); ok {
			return frame.(client.Frame), nil
		}
		frame, err := message.Decode()
		if err == nil {
			decoded.Store(string(message.Data), frame)
		}
		return frame, err
	}
}

// read reads until it has count entries, numbered from 1 without gaps.
func (r *returner) read(count int) {
	for r.Socket != nil && r.count < count {
		frame, err := r.next()
		if err == nil {
			err = r.chain.Check(frame)
		}
		if err != nil {
			r.t.Errorf("after %d of %d entries: %v", r.count, count, err)
			return
		}
		r.cursor = r.chain.Cursor("lobby")
		switch f := frame.(type) {
		case *client.Followed:
			if f.State != client.Resumed {
				r.t.Errorf("followed is %q, want resumed: %+v", f.State, f)
			}
		case *client.Entries:
			for _, entry := range f.Entries {
				if r.count++; entry.N != int64(r.count) {
					r.t.Errorf("entry %d came as number %d", entry.N, r.count)
				}
			}
		}
	}
}

// expectFewConnections checks that Redis has at most 8 connections from each server.
func expectFewConnections(t *testing.T, redis *redistest.Server, servers int) {
	t.Helper()
	client := redis.Client()
	defer client.Close()
	list, err := client.ClientList(context.Background()).Result()
	if err != nil {
		t.Fatal(err)
	}
	count := strings.Count(list, "\n") - 1 // without this one
	t.Logf("%d connections to Redis", count)
	if count > 8*servers {
		t.Errorf("%d connections to Redis, want at most 8 from each of %d servers:\n%s", count, servers, list)
	}
}

// commands is how often Redis ran each command.
type commands map[string]int

// commandsOf reads the counts from Redis, without the commands that tests send.
func commandsOf(t *testing.T, server *redistest.Server) commands {
	t.Helper()
	client := server.Client()
	defer client.Close()
	stats, err := client.Info(context.Background(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	counts := make(commands)
	for line := range strings.Lines(stats) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		var calls int
		if _, err := fmt.Sscanf(rest, "calls=%d", &calls); err != nil {
			continue
		}
		switch name {
		case "info", "client|list", "hello", "ping", "keys":
		default:
			counts[name] = calls
		}
	}
	return counts
}

// since returns what ran since an earlier count.
func (c commands) since(before commands) commands {
	difference := make(commands)
	for name, calls := range c {
		if calls > before[name] {
			difference[name] = calls - before[name]
		}
	}
	return difference
}

func (c commands) total() (sum int) {
	for _, calls := range c {
		sum += calls
	}
	return sum
}

// redisStat returns a number of Redis's INFO stats.
func redisStat(t *testing.T, redis *redis.Client, name string) int {
	t.Helper()
	stats, err := redis.Info(context.Background(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(stats, name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	count, err := strconv.Atoi(value)
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// percentile returns the duration that percent of all did not exceed.
func percentile(all []time.Duration, percent int) time.Duration {
	slices.Sort(all)
	return all[min(len(all)*percent/100, len(all)-1)]
}
