//go:build unix

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

// With Redis 300 ms away, pages and follows wait for few round trips, and hardly for each other.
func TestCostOfManyReadersOfDistantRedis(t *testing.T) {
	t.Parallel()
	const pages, follows = 40, 60
	redis := redistest.StartTCP(t)
	proxy := redistest.StartProxy(t, redis.Addr)
	server := apptest.Launch(t, "redis://"+proxy.Addr)
	server.AwaitReady()
	token := server.SignIn("Ada")
	for i := range follows {
		if status, answer := server.Post(token, fmt.Sprint("room-", i), client.NewKey(), "hello"); status != http.StatusCreated {
			t.Fatal(status, answer)
		}
	}
	proxy.SetFaults(redistest.Faults{Delay: 150 * time.Millisecond}) // either way

	began := time.Now()
	if status, _ := server.Get("/r/room-0", "Cookie", "burble="+token); status != http.StatusOK {
		t.Errorf("one page: %d", status)
	}
	t.Logf("one page took %v", time.Since(began).Round(10*time.Millisecond))

	began = time.Now()
	var mu sync.Mutex
	answers := make(map[int]int)
	var reading sync.WaitGroup
	for i := range pages {
		reading.Go(func() {
			status, _ := server.Get(fmt.Sprint("/r/room-", i), "Cookie", "burble="+token)
			mu.Lock()
			defer mu.Unlock()
			answers[status]++
		})
	}
	reading.Wait()
	t.Logf("%d pages: %v in %v", pages, answers, time.Since(began).Round(10*time.Millisecond))
	if answers[http.StatusOK] != pages {
		t.Errorf("%d pages were answered %v", pages, answers)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	follow := func(socket *client.Socket, rooms ...string) {
		for _, room := range rooms {
			if err := socket.Send(client.Follow{Room: room}); err != nil {
				t.Error(err)
			}
		}
		for left := len(rooms); left > 0; {
			frame, err := socket.Next()
			if err != nil {
				t.Error(err)
				return
			}
			if _, ok := frame.(*client.Followed); ok {
				left--
			}
		}
	}
	sockets := make([]*client.Socket, follows+1)
	rooms := make([]string, follows)
	for i := range sockets {
		socket, err := server.Client(token).Dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Cut()
		sockets[i] = socket
	}
	began = time.Now()
	for i := range follows {
		rooms[i] = fmt.Sprint("room-", i)
		reading.Go(func() { follow(sockets[i], rooms[i]) })
	}
	reading.Wait()
	t.Logf("%d connections followed a room each in %v", follows, time.Since(began).Round(10*time.Millisecond))
	if took := time.Since(began); took > 3*time.Second && !apptest.Race() { // the cost job measures without the race detector
		t.Errorf("%d follows took %v, want at most 3 s", follows, took)
	}
	for _, socket := range sockets[:follows] {
		socket.Cut()
	}
	began = time.Now()
	follow(sockets[follows], rooms...)
	t.Logf("one connection followed %d rooms in %v", follows, time.Since(began).Round(10*time.Millisecond))
	if took := time.Since(began); took > 3*time.Second && !apptest.Race() { // the cost job measures without the race detector
		t.Errorf("%d follows of one connection took %v, want at most 3 s", follows, took)
	}
}
