//go:build unix

package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/streams/redistest"

	"github.com/fasthttp/websocket"
	"github.com/google/uuid"
)

// Some flood the server with many times what one connection, one address and one user
// may do, while others talk. What the floods get is counted; how long the others wait is
// measured in turns with calm.
func TestFloodsGetNoMoreThanTheirLimitAndOthersDoNotWait(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := burble(t, server, "TRUSTED_PROXY=fly", "RATE_MESSAGES=5", "RATE_ADDRESS=50", "RATE_CONNECTIONS=50")
	others := bystanders(t, p, 10)
	f := &flood{t: t, p: p, token: p.token("Mallory"), key: uuid.NewString}
	kinds := []struct {
		name string
		run  func(context.Context)
	}{{"calm", nil}, {"one connection", f.connection}, {"one address", f.address}, {"one user", f.user}}
	took := make([][]time.Duration, len(kinds)) // what 99 of 100 took at most, in each turn
	spent, worked := make([]time.Duration, len(kinds)), make([]time.Duration, len(kinds))
	for range 4 {
		for i, kind := range kinds {
			began, before := time.Now(), p.worked()
			ctx, stop := context.WithCancel(t.Context())
			var flooding sync.WaitGroup
			if kind.run != nil {
				flooding.Go(func() { kind.run(ctx) })
			}
			took[i] = append(took[i], others.wait(t, 60))
			stop()
			flooding.Wait()
			spent[i] += time.Since(began)
			worked[i] += p.worked() - before
		}
	}
	calm := median(took[0])
	for i, kind := range kinds {
		flooded := median(took[i])
		t.Logf("%s: 99 of 100 messages of others took %v at most (%.2f times calm), the server worked %d ms a second", kind.name,
			flooded.Round(10*time.Microsecond), float64(flooded)/float64(calm), worked[i]*1000/spent[i])
		// Twice as long is the aim, and what is logged. A machine that does other things at
		// the time adds to it what it will: only who is starved fails the test.
		if flooded > 2*calm+5*time.Second {
			t.Errorf("others had to wait for %v instead of %v", flooded, calm)
		}
	}
	bound := func(what string, got int64, rate, burst int, within time.Duration) {
		t.Helper()
		t.Logf("%s: %d, of %d tried", what, got, f.tried.Load())
		if most := int64(burst + rate*int(within/time.Second+1)); got > most || got == 0 {
			t.Errorf("%s: %d, want at most %d", what, got, most)
		}
	}
	whole := spent[1] + spent[2] + spent[3] + spent[0] // limits fill up while others flood
	bound("requests of one address answered", f.answered.Load(), 50, 200, whole)
	stored := int64(0)
	for _, entry := range entriesOf(t, server, "flood") {
		if fmt.Sprint(entry.Values["kind"]) != "" {
			stored++
		}
	}
	bound("messages of one user stored", stored, 5, 20, whole)
	if f.closed.Load() == 0 {
		t.Error("the connection that floods was never closed")
	}
	t.Logf("the connection that floods was closed %d times", f.closed.Load())
}

// worked is how long the process has had a processor, 0 where the system does not tell.
func (p *process) worked() time.Duration {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // clock ticks
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// bystanding are people who talk in one room, each with a socket.
type bystanding struct{ sockets []*socket }

func bystanders(t *testing.T, p *process, count int) *bystanding {
	t.Helper()
	all := new(bystanding)
	for i := range count {
		s, err := dial(p.url(), p.token(fmt.Sprint("Ada ", i)), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.cut)
		all.sockets = append(all.sockets, s)
	}
	return all
}

// wait has them send so many messages, within their limits, and returns what 99 of 100
// took at most until they were stored.
func (a *bystanding) wait(t *testing.T, count int) time.Duration {
	t.Helper()
	var took []time.Duration
	pace := time.NewTicker(25 * time.Millisecond) // 40 a second of one address, 4 of each
	defer pace.Stop()
	for i := range count {
		<-pace.C
		s, began := a.sockets[i%len(a.sockets)], time.Now()
		err := s.say(map[string]any{"type": "send", "room": "lobby", "key": uuid.NewString(), "text": "is this quick?"})
		for answer := (wireFrame{}); err == nil && answer.Type != "stored"; {
			if answer, err = s.hear(); answer.Type == "error" {
				t.Fatalf("refused: %+v", answer)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// flood is somebody with bad intentions, and what came of them.
type flood struct {
	t     *testing.T
	p     *process
	token string
	key   func() string

	tried, answered, closed atomic.Int64
}

// every does something every 10 ms until ctx ends.
func every(ctx context.Context, do func()) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}

func (f *flood) dial(token, address string) *websocket.Conn {
	header := http.Header{"Authorization": {"Bearer " + token}, "Fly-Client-Ip": {address}}
	conn, _, err := websocket.DefaultDialer.Dial(strings.Replace(f.p.url(), "http", "ws", 1)+"/ws", header)
	if err != nil {
		return nil
	}
	go func() { // whatever it says
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				if websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
					f.closed.Add(1)
				}
				conn.Close()
				return
			}
		}
	}()
	return conn
}

// connection sends 2,000 frames a second on one socket, and comes back when it is closed.
func (f *flood) connection(ctx context.Context) {
	var conn *websocket.Conn
	every(ctx, func() {
		for range 20 {
			if conn == nil {
				conn = f.dial(f.token, "203.0.113.1")
			}
			if conn != nil && conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"follow","room":"flood"}`)) != nil {
				conn = nil
			}
		}
	})
	if conn != nil {
		conn.Close()
	}
}

// address asks for 500 pages a second.
func (f *flood) address(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 5}}
	defer client.CloseIdleConnections()
	var asking sync.WaitGroup
	for _, path := range []string{"/", "/rooms", "/r/lobby", "/r/lobby/messages?limit=500&html=true", "/r/lobby/search?q=x"} {
		asking.Go(func() {
			every(ctx, func() {
				request, _ := http.NewRequest("GET", f.p.url()+path, nil)
				request.Header.Set("Fly-Client-IP", "203.0.113.2")
				f.tried.Add(1)
				answer, err := client.Do(request)
				if err != nil {
					return
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					f.answered.Add(1)
				}
			})
		})
	}
	asking.Wait()
}

// user sends 400 long messages a second from four addresses.
func (f *flood) user(ctx context.Context) {
	text := strings.Repeat("x", 4000)
	var sending sync.WaitGroup
	for i := range 4 {
		sending.Go(func() {
			conn := f.dial(f.token, fmt.Sprint("203.0.113.", 10+i))
			every(ctx, func() {
				if conn != nil && conn.WriteJSON(map[string]any{"type": "send", "room": "flood", "key": f.key(), "text": text}) != nil {
					conn = nil
				}
			})
			if conn != nil {
				conn.Close()
			}
		})
	}
	sending.Wait()
}
