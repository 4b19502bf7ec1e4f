//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// resume has all clients come back at once to a server that has just started, each
// with the same cursor and so many entries missed; and, to compare, as many clients
// that only open a connection.
func (b *bench) resume(ctx context.Context, p *plan, _ int) (*result, error) {
	if p.target.name != "burble" {
		return nil, errors.New("only Burble can be resumed")
	}
	r, err := startRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.end()
	w := p.work
	said := w.Missed + 50
	after, err := b.history(ctx, w, r, said)
	if err != nil {
		return nil, err
	}
	got := &result{Target: p.target.name, Mode: p.mode, Work: w}
	if got.Opening, err = b.opening(ctx, w, r); err != nil {
		return nil, err
	}
	return got, b.resuming(ctx, p, r, got, after, said)
}

// history has so much said in the room, and returns the cursor from which all but
// the first 50 have been missed.
func (b *bench) history(ctx context.Context, w work, r *redisServer, said int) (after string, err error) {
	w.Clients, w.Guests, w.Rooms, w.Follow = 1, 1, 1, 1
	s, err := launchBurble(ctx, b, w, r)
	if err != nil {
		return "", err
	}
	defer s.end()
	c, err := gather(ctx, s, w)
	if err != nil {
		return "", err
	}
	defer c.end()
	source := newSource(s.protocol, c.readers.clients[0], 0, 0, w.Size, 0)
	for range said {
		if err := source.say(time.Now().UnixMicro()); err != nil {
			return "", err
		}
	}
	c.readers.await(ctx, int64(said), b.patience)
	if heard := c.readers.messages(); heard != int64(said) {
		return "", fmt.Errorf("only %d of %d messages came back; %s", heard, said, c.readers.end().Said)
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/r/%s/messages?limit=%d", s.port, roomName(0), w.Missed+1)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	var page struct{ Entries []struct{ ID string } }
	if err := ask(request, &page); err != nil {
		return "", err
	}
	if len(page.Entries) != w.Missed+1 {
		return "", fmt.Errorf("the room has %d entries of %d", len(page.Entries), w.Missed+1)
	}
	return page.Entries[0].ID, nil
}

// opening is how long it takes until all have a connection.
func (b *bench) opening(ctx context.Context, w work, r *redisServer) (time.Duration, error) {
	s, err := launchBurble(ctx, b, w, r)
	if err != nil {
		return 0, err
	}
	defer s.end()
	clients := newSwarm(s.port, s.protocol, w, w.Clients).noFollowing()
	defer clients.end()
	if err := clients.start(); err != nil {
		return 0, err
	}
	began := time.Now()
	err = clients.open(ctx, &clients.openNow)
	return time.Since(began), err
}

// resuming has all clients come back.
func (b *bench) resuming(ctx context.Context, p *plan, r *redisServer, got *result, after string, said int) error {
	w := p.work
	s, err := launchBurble(ctx, b, w, r)
	if err != nil {
		return err
	}
	defer s.end()
	s.protocol.request = burbleResume(s.protocol.request, after, w.Deflate)
	s.protocol.follow = func([]int) [][]byte { return nil }
	clients := newSwarm(s.port, s.protocol, w, w.Clients)
	defer clients.end()
	clients.waitFor(w.Missed, said-w.Missed)
	if err := clients.start(); err != nil {
		return err
	}
	b.progress.follow(clients)
	before, err := s.read(ctx, r, nil)
	if err != nil {
		return err
	}
	finish := b.profiling(ctx, p)
	began := time.Now()
	err = clients.open(ctx, &clients.reachedNow)
	got.Resuming = time.UnixMicro(clients.reachedAt.Load()).Sub(began)
	got.Deliveries = clients.messages()
	spent, err := s.read(ctx, r, err)
	if err = cmp.Or(err, finish()); err != nil {
		return err
	}
	got.spent = spent.since(before, got.Deliveries, 1)
	got.Reads = got.Asked["xread"] + got.Asked["xrange"] + got.Asked["xrevrange"]
	got.Connections, err = r.connections(ctx)
	got.tally = *clients.end()
	got.Missing = clients.missing([]int64{int64(said)})
	return err
}
