//go:build unix

package web

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/accounts"
	"burble/app/apptest"
	"burble/app/client"
	"burble/streams"
	"burble/streams/redistest"
)

// How long after the end of a session its live reads on another server may last.
const (
	endLimit    = time.Second
	cutEndLimit = 20 * time.Second // if that server's tail receives nothing
)

// An openSession is the session of a member who has a socket open in a room on the server there, and a live read in each
// format.
type openSession struct {
	there   *testServer
	user    testUser
	session accounts.Session
	room    string
	ended   sync.WaitGroup // done when the socket and all live reads have ended
}

func openEverything(here, there *testServer) *openSession {
	user, session := here.upgrade(here.signIn("Ada"))
	room, err := here.store.AsRanked(streams.User{ID: user.ID, Name: user.Name}, streams.Account).CreatePrivate(here.t.Context(), "Launch", nil)
	if err != nil {
		here.t.Fatal(err)
	}
	o := &openSession{there: there, user: user, session: session, room: room}
	socket := there.connect(user)
	socket.follow(room, "")
	o.ended.Go(func() {
		for { // until the connection or the room is closed
			frame, err := socket.Socket.Next()
			if _, isClosed := frame.(*client.Closed); err != nil || isClosed {
				return
			}
		}
	})
	for _, accept := range []string{"text/event-stream", "application/x-ndjson", "text/plain"} {
		stream := there.openStream("/r/"+room+"/events", user.bearer(), "Accept: "+accept)
		stream.line()
		o.ended.Go(func() {
			for _, err := stream.Line(); err == nil; {
				_, err = stream.Line()
			}
		})
	}
	return o
}

// isRefused reports whether the server refuses both requests and searches.
func (o *openSession) isRefused() bool {
	for _, path := range []string{"/messages", "/search?q=x"} {
		if o.there.get("/r/"+o.room+path, o.user.bearer()).status == http.StatusOK {
			return false
		}
	}
	return true
}

// measure calls end. It returns how much later everything open has ended, and how much later requests are refused.
func (o *openSession) measure(end func() error) (closed, refused time.Duration) {
	o.there.t.Helper()
	began := time.Now()
	if err := end(); err != nil {
		o.there.t.Fatal(err)
	}
	var measuring sync.WaitGroup
	measuring.Go(func() { o.ended.Wait(); closed = time.Since(began) })
	measuring.Go(func() {
		for !o.isRefused() {
			time.Sleep(time.Millisecond)
		}
		refused = time.Since(began)
	})
	measuring.Wait()
	return closed, refused
}

// A sign-out, a ban, a new role and the deletion of a room take effect on another server within a second.
func TestRevocationTakesEffectWithinASecond(t *testing.T) {
	t.Parallel()
	const times = 25
	here, there := startTwo(t, redistest.Start(t).Redis())
	ends := []struct {
		name    string
		end     func(o *openSession) error
		refuses bool // whether requests are refused afterwards
	}{
		{"sign-out", func(o *openSession) error {
			return here.accounts.SignOut(t.Context(), o.user.ID, o.user.ID, o.session.ID)
		}, true},
		{"ban", func(o *openSession) error {
			return here.accounts.Ban(t.Context(), accounts.Operator, o.user.ID, "spam")
		}, true},
		{"new role", func(o *openSession) error {
			return here.accounts.SetRole(t.Context(), accounts.Operator, o.user.ID, accounts.Moderator)
		}, false},
		{"deletion of the room", func(o *openSession) error {
			owner := here.store.AsRanked(streams.User{ID: o.user.ID, Name: o.user.Name}, streams.Owner)
			return owner.DeleteRoom(t.Context(), o.room)
		}, true},
	}
	for _, test := range ends {
		var closed, refused []time.Duration
		for range times {
			o := openEverything(here, there)
			if test.refuses {
				connections, requests := o.measure(func() error { return test.end(o) })
				closed, refused = append(closed, connections), append(refused, requests)
				continue
			}
			began := time.Now()
			if err := test.end(o); err != nil {
				t.Fatal(err)
			}
			o.ended.Wait()
			closed = append(closed, time.Since(began))
		}
		expectWithin(t, test.name+": connections ended", closed, endLimit)
		if test.refuses {
			expectWithin(t, test.name+": requests refused", refused, endLimit)
		}
	}
}

// expectWithin logs the distribution, and checks that at least half are within the limit, and all within five
// times as long, because the machine may be busy.
func expectWithin(t *testing.T, what string, all []time.Duration, limit time.Duration) {
	t.Helper()
	slices.Sort(all)
	median, longest := all[len(all)/2], all[len(all)-1]
	t.Logf("%s: %d times, median %v, max %v", what, len(all), median.Round(10*time.Microsecond), longest.Round(10*time.Microsecond))
	if median > limit || longest > 5*limit {
		t.Errorf("%s after %v (median) and %v (max), want at most %v and %v", what, median, longest, limit, 5*limit)
	}
}

// If a network swallows everything that a server's tail reads, a sign-out still takes effect within 20 s.
func TestRevocationWithoutTail(t *testing.T) {
	t.Parallel()
	if !apptest.IsLong(t, "no measurement of revocation without a tail, which takes a minute") {
		return
	}
	at := redistest.StartTCP(t).Redis()
	here := startServer(t, at)
	var swallows atomic.Bool
	waits := make(chan struct{}, 1)
	cut := *at
	cut.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return &swallowing{Conn: conn, swallows: &swallows, waits: waits}, err
	}
	there := startServer(t, &cut)
	var all []*openSession
	for range 6 {
		all = append(all, openEverything(here, there))
	}
	select { // wait until an idle tail begins a read with the longest timeout
	case <-waits:
	case <-time.After(2 * time.Minute):
		t.Fatal("the tail did not begin a read with a timeout of 19 s")
	}
	swallows.Store(true)
	var closed, refused []time.Duration
	var mu sync.Mutex
	var measuring sync.WaitGroup
	for i, o := range all {
		if err := here.accounts.SignOut(t.Context(), o.user.ID, o.user.ID, o.session.ID); err != nil {
			t.Fatal(err)
		}
		measuring.Go(func() {
			began, into := time.Now(), &closed
			if i%2 == 0 {
				o.ended.Wait()
			} else { // requests make the server check the session again
				into = &refused
				for !o.isRefused() {
					time.Sleep(50 * time.Millisecond)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			*into = append(*into, time.Since(began))
		})
	}
	measuring.Wait()
	expectWithin(t, "connections ended", closed, cutEndLimit)
	expectWithin(t, "requests refused", refused, cutEndLimit)
}

// swallowing is a connection to Redis that loses all replies to blocking reads while swallows is set.
type swallowing struct {
	net.Conn
	isTail   atomic.Bool
	swallows *atomic.Bool
	waits    chan struct{} // receives a value when a blocking read with the longest timeout begins
}

func (c *swallowing) Write(data []byte) (int, error) {
	if bytes.Contains(data, []byte("xread\r")) && bytes.Contains(data, []byte("block\r")) {
		c.isTail.Store(true)
	}
	if bytes.Contains(data, []byte("block\r\n$5\r\n19000\r")) {
		select {
		case c.waits <- struct{}{}:
		default:
		}
	}
	return c.Conn.Write(data)
}

func (c *swallowing) Read(data []byte) (int, error) {
	for {
		n, err := c.Conn.Read(data)
		if err != nil || !c.isTail.Load() || !c.swallows.Load() {
			return n, err
		}
	}
}
