//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"burble/streams"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// joinTimes is how often each way into the room is taken, one after the other.
const joinTimes = 50

// newest is how many entries are read then.
func (w work) newest() int { return min(50, w.Entries) }

// join goes into a room with many entries: by the API, as a browser, and by a socket.
func (b *bench) join(ctx context.Context, p *plan, _ int) (*result, error) {
	if p.target.name != "burble" {
		return nil, errors.New("only Burble can be joined")
	}
	r, err := startRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.end()
	w := p.work
	if err := fill(ctx, r, w); err != nil {
		return nil, err
	}
	s, err := launchBurble(ctx, b, w, r)
	if err != nil {
		return nil, err
	}
	defer s.end()
	got := &result{Target: p.target.name, Mode: p.mode, Work: w}
	if got.Page, err = timesOf(func() (time.Duration, error) { return getOnce(ctx, s.port, "/messages", "application/json") }); err != nil {
		return nil, err
	}
	if got.PageHTML, err = timesOf(func() (time.Duration, error) { return getOnce(ctx, s.port, "", "text/html") }); err != nil {
		return nil, err
	}
	s.protocol.follow = func(rooms []int) [][]byte { return burbleFollow(rooms, fmt.Sprintf(`"last":%d`, w.newest())) }
	got.Joining, err = timesOf(func() (time.Duration, error) { return joinOnce(ctx, s, w) })
	return got, err
}

// joinOnce is how long it takes to open a socket, follow the room and have the
// newest entries.
func joinOnce(ctx context.Context, s *server, w work) (time.Duration, error) {
	client := newSwarm(s.port, s.protocol, w, 1)
	defer client.end()
	client.waitFor(w.newest(), 0)
	if err := client.start(); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := client.open(ctx, &client.reachedNow); err != nil {
		return 0, err
	}
	took := time.UnixMicro(client.reachedAt.Load()).Sub(began)
	if counted := client.end(); counted.Skipped+counted.Again > 0 {
		return 0, errors.New("what a joining client got was not the newest entries in order")
	}
	return took, nil
}

// getOnce is how long it takes to read the room at a path of its own.
func getOnce(ctx context.Context, port int, path, accept string) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/r/%s%s", port, roomName(0), path), nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept", accept)
	began := time.Now()
	response, err := web.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("GET %s: %s", request.URL, response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return time.Since(began), err
}

// timesOf is the median of how long it takes, when it is done again and again.
func timesOf(do func() (time.Duration, error)) (time.Duration, error) {
	var h histogram
	for range joinTimes {
		took, err := do()
		if err != nil {
			return 0, err
		}
		h.add(took.Microseconds())
	}
	return h.quantile(0.5), nil
}

// fillers is how many append to a room at once: together they are a few round trips.
const fillers = 512

// fill puts entries into the room. The newest have markers, in order.
func fill(ctx context.Context, r *redisServer, w work) error {
	store, err := streams.Open(ctx, streams.Options{Redis: &redis.UniversalOptions{Addrs: []string{r.socket}}})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- store.Run(running) }()
	err = fillStore(ctx, store, w)
	stop()
	return errors.Join(err, <-ended, store.Close())
}

func fillStore(ctx context.Context, store *streams.Store, w work) error {
	user := streams.User{ID: uuid.NewString(), Name: "Ada"}
	text := []byte(strings.Repeat("x", w.Size))
	appended := func() error {
		entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: string(text)}
		_, err := store.As(user).Append(ctx, roomName(0), entry)
		return err
	}
	var appending sync.WaitGroup
	errs := make([]error, fillers)
	left := atomic.Int64{}
	left.Store(int64(w.Entries - w.newest()))
	for i := range errs {
		appending.Go(func() {
			for left.Add(-1) >= 0 && errs[i] == nil {
				errs[i] = appended()
			}
		})
	}
	appending.Wait()
	err := errors.Join(errs...)
	for number := 1; number <= w.newest() && err == nil; number++ {
		putMarker(text, marker{0, int64(number), time.Now().UnixMicro()})
		err = appended()
	}
	return err
}
