//go:build unix && !race

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

// If readers stop reading in the middle of 30 MB, the server disconnects them within two write deadlines
// of 10 s. They cost the server little memory, do not delay other clients, and lose nothing when they resume.
func TestCostOfStalledReadersThatLoseNothing(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.Start(t)
	server := apptest.Start(t, redis)
	token := server.SignIn("Ada")
	reader := join(t.Context(), t, "lobby", token, server)
	quiet := roundTrips(t, reader, 200)

	var stalled []*stalledReader
	for range 8 {
		stalled = append(stalled, stall(t, server, token, "lobby"))
	}
	before := server.ResidentBytes()
	began := time.Now()
	text := strings.Repeat("🗣", 4000) // 16 KB
	const first, total = 128, 1900
	publish := func(count int) {
		socket := reader.latest()
		for range count {
			if err := socket.Send(client.Message{Room: "lobby", Key: client.NewKey(), Text: text}); err != nil {
				t.Errorf("publish: %v, after close codes %v", err, reader.closeCodes)
				return
			}
		}
	}
	publish(first) // more than all buffers in between can hold
	reader.await(patience, 200+first)
	loaded := roundTrips(t, reader, 100)
	t.Logf("other clients: p99 latency %v on a quiet server, and %v while readers stalled", quiet, loaded)
	// If a client had to wait for a stalled reader, it would wait for 10 s. The test machine may be
	// busy with other tests, so shorter delays prove nothing.
	if loaded > 10*quiet+5*time.Second {
		t.Errorf("other clients: got p99 latency %v, want at most 10 x %v + 5 s", loaded, quiet)
	}

	var working sync.WaitGroup
	working.Go(func() { publish(total - first) })
	// The test needs this time: all readers stall past the write deadline of 10 s, and one also past
	// the second deadline, after which the server stops waiting for it.
	time.Sleep(time.Until(began.Add(15 * time.Second)))
	for _, s := range stalled[1:] {
		working.Go(func() {
			if code := s.readToEnd(); code != client.CloseTooSlow {
				t.Errorf("a stalled reader was closed with code %d, want 4008", code)
			}
		})
	}
	time.Sleep(time.Until(began.Add(27 * time.Second)))
	stalled[0].readToEnd()
	working.Wait()
	reader.await(time.Minute, 300+total)
	// The server keeps a bounded window of the room, however many readers there are.
	grown := server.ResidentBytes() - before
	t.Logf("%d readers that stalled in %d MB cost %d MB of memory", len(stalled), total*len(text)>>20, grown>>20)
	if grown > 200<<20 {
		t.Errorf("the server grew by %d MB, want at most 200", grown>>20)
	}

	expectAllResume(t, redis, stalled[:3], total*len(text))
}

// expectAllResume checks that each reader resumes and gets all entries, which have size bytes. Redis
// must not send much more than that for each reader.
func expectAllResume(t *testing.T, redis *redistest.Server, stalled []*stalledReader, size int) {
	t.Helper()
	want := apptest.Entries(t, redis, "lobby")
	redisClient := redis.Client()
	defer redisClient.Close()
	sent := redisStat(t, redisClient, "total_net_output_bytes")
	for _, s := range stalled {
		began, had := time.Now(), len(s.entries)
		s.resume(len(want))
		t.Logf("a stalled reader had %d entries and read the other %d in %v", had, len(want)-had, time.Since(began))
		for i, entry := range s.entries[:min(len(s.entries), len(want))] {
			if entry.ID != want[i].ID {
				t.Fatalf("entry %d is %s, want %s", i, entry.ID, want[i].ID)
			}
		}
	}
	sent = redisStat(t, redisClient, "total_net_output_bytes") - sent
	t.Logf("Redis sent %d MB to %d resuming readers", sent>>20, len(stalled))
	if sent > len(stalled)*2*size {
		t.Errorf("Redis sent %d MB for %d times %d MB, want at most twice that", sent>>20, len(stalled), size>>20)
	}
}

// latest waits for the member's first connection and returns the latest one.
func (m *member) latest() *client.Socket {
	m.t.Helper()
	apptest.Eventually(m.t, 30*time.Second, "a connection", func() bool { _, connections := m.redisStatuses(); return connections > 0 })
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.socket
}

// roundTrips sends messages one after the other, and returns the p99 latency from sending a message to
// reading it.
func roundTrips(t *testing.T, m *member, count int) time.Duration {
	t.Helper()
	var all []time.Duration
	for i := range count {
		had, began := m.count(), time.Now()
		if _, err := m.send(t.Context(), fmt.Sprintf("is this fast, %d?", i)); err != nil {
			t.Fatal(err)
		}
		apptest.Eventually(t, 10*time.Second, "a message to come back", func() bool { return m.count() > had })
		all = append(all, time.Since(began))
	}
	return percentile(all, 99)
}

// stalledReader follows a room, and reads only on demand.
type stalledReader struct {
	*client.Socket
	t       *testing.T
	server  *client.Server
	room    string
	cursor  string
	chain   client.Chain
	entries []client.Entry
}

func stall(t *testing.T, server *apptest.Server, token, room string) *stalledReader {
	t.Helper()
	s := &stalledReader{t: t, server: server.Client(token), room: room, cursor: "0-0"}
	dial := s.server.DialContext
	s.server.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err == nil {
			// If the receive buffer were smaller than two loopback packets, the server's kernel might
			// learn that the buffer has space again only from its probes, 12.6 s and 25.4 s after the
			// buffer was full.
			conn.(*net.TCPConn).SetReadBuffer(128 << 10)
		}
		return conn, err
	}
	s.connect()
	return s
}

// connect opens a WebSocket, follows the room from the cursor, and reads up to followed.
func (s *stalledReader) connect() {
	s.t.Helper()
	follow := client.Follow{Room: s.room, After: s.cursor}
	s.chain = client.Chain{}
	s.chain.AddFollow(follow)
	var err error
	if s.Socket, err = s.server.Dial(s.t.Context(), follow); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.Cut)
	frame, err := s.Next()
	if followed, ok := frame.(*client.Followed); err != nil || !ok || followed.State != client.Resumed {
		s.t.Fatalf("want followed, got %+v: %v", frame, err)
	}
	s.receive(frame)
}

// receive checks a frame and keeps its entries.
func (s *stalledReader) receive(frame client.Frame) {
	if err := s.chain.Check(frame); err != nil {
		s.t.Error(err)
	}
	s.cursor = s.chain.Cursor(s.room)
	if batch, ok := frame.(*client.Entries); ok {
		s.entries = append(s.entries, batch.Entries...)
	}
}

// readToEnd reads until the connection ends. It returns the close code, or 0 if there was none.
func (s *stalledReader) readToEnd() (code int) {
	for {
		frame, err := s.Next()
		if closed, ok := errors.AsType[*client.CloseError](err); ok {
			return closed.Code
		}
		if err != nil {
			return 0
		}
		s.receive(frame)
	}
}

// resume reconnects and reads until there are count entries.
func (s *stalledReader) resume(count int) {
	s.t.Helper()
	s.connect()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, s.Cut)()
	for len(s.entries) < count {
		frame, err := s.Next()
		if err != nil {
			s.t.Fatalf("after resuming, with %d of %d entries: %v", len(s.entries), count, err)
		}
		s.receive(frame)
	}
}
