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

	"burble/app/bench/load"
	"burble/app/bench/proc"
	"burble/app/bench/report"
	"burble/app/bench/target"
	"burble/app/bench/wire"
	"burble/streams"
	"burble/streams/conns"

	"github.com/google/uuid"
)

// joinRepeats is how many times each way to join is measured.
const joinRepeats = 50

// newestCount returns the number of entries that a client reads when it joins.
func newestCount(w load.Workload) int { return min(50, w.Entries) }

// runJoin opens a room with many entries in three ways: with the JSON API, as a page, and over a
// WebSocket.
func (b *bench) runJoin(ctx context.Context, p *report.Plan, _ int) (*report.Result, error) {
	if p.Target != "burble" {
		return nil, errors.New("mode join measures only Burble")
	}
	r, err := proc.StartRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Stop()
	w := p.Work
	if err := fillRoom(ctx, r, w); err != nil {
		return nil, err
	}
	s, err := b.launcher.Burble.Launch(ctx, w, r)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	res := &report.Result{Target: p.Target, Mode: p.Mode, Work: w}
	if res.Page, err = repeatJoin(func() (time.Duration, error) { return timeGet(ctx, s.Port, "/messages", "application/json") }); err != nil {
		return nil, err
	}
	if res.PageHTML, err = repeatJoin(func() (time.Duration, error) { return timeGet(ctx, s.Port, "", "text/html") }); err != nil {
		return nil, err
	}
	s.FollowNewest(newestCount(w))
	res.Joining, err = repeatJoin(func() (time.Duration, error) { return timeSocketJoin(ctx, s, w) })
	return res, err
}

// timeSocketJoin returns the time it takes to open a WebSocket, follow the room and receive the
// newest entries.
func timeSocketJoin(ctx context.Context, s *target.Server, w load.Workload) (time.Duration, error) {
	client := s.Swarm(w, 1)
	defer client.Stop()
	client.SetGoal(newestCount(w), 0)
	if err := client.Start(); err != nil {
		return 0, err
	}
	took, err := client.ConnectToGoal(ctx)
	if err != nil {
		return 0, err
	}
	if total := client.Stop(); total.Skipped+total.Repeated > 0 {
		return 0, errors.New("a joining client did not receive the newest entries in order")
	}
	return took, nil
}

// timeGet returns how long it takes to get a path below the room's URL.
func timeGet(ctx context.Context, port int, path, accept string) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/r/%s%s", port, wire.RoomName(0), path), nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept", accept)
	began := time.Now()
	response, err := target.HTTPClient.Do(request)
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

// repeatJoin returns the median duration of several joins.
func repeatJoin(join func() (time.Duration, error)) (time.Duration, error) {
	var h load.Histogram
	for range joinRepeats {
		took, err := join()
		if err != nil {
			return 0, err
		}
		h.Add(took.Microseconds())
	}
	return h.Quantile(0.5), nil
}

// fillConcurrency is the number of concurrent appends, which share round trips.
const fillConcurrency = 512

// fillRoom appends entries to the room. The newest ones have markers.
func fillRoom(ctx context.Context, r *proc.Redis, w load.Workload) error {
	store, err := streams.Open(ctx, streams.Options{Redis: &conns.Address{Addrs: []string{r.Socket}}})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- store.Run(running) }()
	err = appendEntries(ctx, store, w)
	stop()
	return errors.Join(err, <-ended, store.Close())
}

func appendEntries(ctx context.Context, store *streams.Store, w load.Workload) error {
	user := streams.User{ID: uuid.NewString(), Name: "Ada"}
	text := []byte(strings.Repeat("x", w.Size))
	appendOne := func() error {
		entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: string(text)}
		_, err := store.As(user).Append(ctx, wire.RoomName(0), entry)
		return err
	}
	var appending sync.WaitGroup
	errs := make([]error, fillConcurrency)
	left := atomic.Int64{}
	left.Store(int64(w.Entries - newestCount(w)))
	for i := range errs {
		appending.Go(func() {
			for left.Add(-1) >= 0 && errs[i] == nil {
				errs[i] = appendOne()
			}
		})
	}
	appending.Wait()
	err := errors.Join(errs...)
	for number := 1; number <= newestCount(w) && err == nil; number++ {
		wire.PutMarker(text, wire.Marker{Number: int64(number), Micros: time.Now().UnixMicro()})
		err = appendOne()
	}
	return err
}
