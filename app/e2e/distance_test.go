//go:build unix && !race

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

const (
	distantPages   = 40
	distantFollows = 60
	// distantLimit is 16 round trips. The follows need five to eight, and would need 60 one after
	// the other.
	distantLimit = 5 * time.Second
)

// With Redis 300 ms away, pages and follows need few round trips and hardly wait for each other.
func TestCostOfManyReadersOfDistantRedis(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	redis := redistest.StartTCP(t)
	proxy := redistest.StartProxy(t, redis.Addr)
	server := apptest.Launch(t, "redis://"+proxy.Addr)
	server.AwaitReady()
	token := server.SignIn("Ada")
	rooms := make([]string, distantFollows)
	for i := range rooms {
		rooms[i] = fmt.Sprint("room-", i)
		if status, body := server.Post(token, rooms[i], client.NewKey(), "hello"); status != http.StatusCreated {
			t.Fatalf("post to %s: status %d, want 201: %s", rooms[i], status, body)
		}
	}
	proxy.SetFaults(redistest.Faults{Delay: 150 * time.Millisecond}) // in each direction

	expectDistantPages(t, server, token, rooms[:1])
	expectDistantPages(t, server, token, rooms[:distantPages])
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dial := func() *client.Socket {
		socket, err := server.Client(token).Dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { socket.Cut() })
		return socket
	}
	sockets := make([]*client.Socket, distantFollows)
	for i := range sockets {
		sockets[i] = dial()
	}
	last := dial()
	expectDistantFollows(t, "one room for each connection", func() {
		var following sync.WaitGroup
		for i, socket := range sockets {
			following.Go(func() { follow(t, socket, rooms[i]) })
		}
		following.Wait()
	})
	for _, socket := range sockets {
		socket.Cut()
	}
	expectDistantFollows(t, "all rooms on one connection", func() { follow(t, last, rooms...) })
}

// expectDistantPages gets the pages of the rooms at the same time, and logs how long that took.
func expectDistantPages(t *testing.T, server *apptest.Server, token string, rooms []string) {
	t.Helper()
	began := time.Now()
	var reading sync.WaitGroup
	for _, room := range rooms {
		reading.Go(func() {
			if status, _ := server.Get("/r/"+room, "Cookie", "burble="+token); status != http.StatusOK {
				t.Errorf("page of %s: status %d, want 200", room, status)
			}
		})
	}
	reading.Wait()
	t.Logf("%d pages took %v", len(rooms), time.Since(began).Round(10*time.Millisecond))
}

// expectDistantFollows fails the test if following the rooms takes longer than distantLimit.
func expectDistantFollows(t *testing.T, name string, followAll func()) {
	t.Helper()
	began := time.Now()
	followAll()
	took := time.Since(began).Round(10 * time.Millisecond)
	t.Logf("%s: %d follows took %v", name, distantFollows, took)
	if took > distantLimit {
		t.Errorf("%s: %d follows took %v, want at most %v", name, distantFollows, took, distantLimit)
	}
}

// follow follows the rooms on one connection, and returns when the server has confirmed them all.
func follow(t *testing.T, socket *client.Socket, rooms ...string) {
	t.Helper()
	for _, room := range rooms {
		if err := socket.Send(client.Follow{Room: room}); err != nil {
			t.Error(err)
			return
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
