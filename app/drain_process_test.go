//go:build unix

package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"burble/streams/redistest"

	"github.com/fasthttp/websocket"
	"github.com/google/uuid"
)

func TestServerThatIsToldToEndSendsEveryoneAwayAndLosesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := burble(t, server)
	token := p.token("Ada")
	leavers := make([]*leaver, 200)
	var open sync.WaitGroup
	for i := range leavers {
		s, err := dial(p.url(), token, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.cut)
		leavers[i] = &leaver{socket: s, stored: make(map[string]string)}
		open.Go(leavers[i].read)
		if err := s.say(map[string]any{"type": "follow", "room": "lobby", "last": 0}); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range leavers[:16] {
		open.Go(func() { l.speak("lobby") })
	}
	streams := make(map[string]*stream)
	for _, accept := range []string{"text/event-stream", "application/x-ndjson", "text/plain"} {
		streams[accept] = openStream(t, p, "/r/lobby/events?last=0", accept)
		open.Go(streams[accept].read)
	}
	eventually(t, time.Minute, "the load", func() bool {
		return leavers[0].count() > 50 && streams["text/plain"].size.Load() > 1000
	})

	p.signal(syscall.SIGTERM)
	began := time.Now()
	eventually(t, time.Second, "readiness to fail", func() bool { status, _ := p.get("/readyz"); return status != http.StatusOK })
	status, body := p.get("/readyz")
	t.Logf("readiness: %d %s", status, body)
	if _, err := dial(p.url(), token, nil); err == nil {
		t.Error("a new socket was taken while the server goes away")
	}
	p.signal(syscall.SIGTERM) // as Heroku may
	eventually(t, 25*time.Second, "the process to end", p.hasEnded)
	t.Logf("ended %v after SIGTERM", time.Since(began))
	if code := p.exitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	open.Wait()

	for i, l := range leavers {
		if l.code != 1012 && l.code != 1001 {
			t.Errorf("socket %d was closed with %d: %v", i, l.code, l.err)
		}
	}
	for accept, s := range streams {
		if s.err != nil {
			t.Errorf("%s broke off: %v", accept, s.err)
		}
	}
	stored := make(map[any]string)
	for _, entry := range entriesOf(t, server, "lobby") {
		stored[entry.Values["key"]] = entry.ID
	}
	acknowledged := 0
	for _, l := range leavers {
		for key, id := range l.stored {
			acknowledged++
			if stored[key] != id {
				t.Errorf("acknowledged as %s, stored as %q", id, stored[key])
			}
		}
	}
	t.Logf("%d messages acknowledged, %d stored", acknowledged, len(stored))
}

// leaver is a client that does not come back.
type leaver struct {
	*socket
	code int // of the close frame it got
	err  error

	mu     sync.Mutex
	stored map[string]string // key to ID
}

// read reads until the end.
func (l *leaver) read() {
	defer close(l.gone)
	for {
		frame, err := l.hear()
		if err != nil {
			l.err = err
			if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
				l.code = closed.Code
			}
			return
		}
		if frame.Type == "stored" {
			l.mu.Lock()
			l.stored[frame.Key] = frame.ID
			l.mu.Unlock()
		}
	}
}

// speak sends until the end, waiting for each answer.
func (l *leaver) speak(room string) {
	for i := 0; ; i++ {
		had := l.count()
		if l.say(map[string]any{"type": "send", "room": room, "key": uuid.NewString(), "text": fmt.Sprintf("message %d", i)}) != nil {
			return
		}
		for l.count() == had {
			select {
			case <-l.gone:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}
}

func (l *leaver) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.stored)
}

// stream is a live read over HTTP.
type stream struct {
	body io.ReadCloser
	size atomic.Int64
	err  error // nil: the response ended as a response ends
	text bytes.Buffer
}

func openStream(t *testing.T, p *process, path, accept string) *stream {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, p.url()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	answer, err := new(http.Transport).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", accept, answer.Status)
	}
	return &stream{body: answer.Body}
}

func (s *stream) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := s.body.Read(buffer)
		s.text.Write(buffer[:n])
		s.size.Add(int64(n))
		if err != nil {
			if err != io.EOF {
				s.err = err
			}
			return
		}
	}
}
