//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// beforeMissed is how many messages the room has before those that clients missed.
const beforeMissed = 50

// runResume measures a reconnect storm: all clients resume at once from the same cursor, on a
// server that has just started. For comparison, it also measures as many clients that
// only open a connection.
func (b *bench) runResume(ctx context.Context, p *plan, _ int) (*result, error) {
	if p.target != "burble" {
		return nil, errors.New("mode resume measures Burble only")
	}
	r, err := startRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	messages := p.work.Missed + beforeMissed
	cursor, err := b.writeHistory(ctx, p.work, r, messages)
	if err != nil {
		return nil, err
	}
	res := &result{Target: p.target, Mode: p.mode, Work: p.work}
	if res.Opening, err = b.measureOpening(ctx, p.work, r); err != nil {
		return nil, err
	}
	return res, b.measureResuming(ctx, p, r, res, cursor, messages)
}

// writeHistory sends messages to the room, and returns the cursor after which Missed of
// them follow.
func (b *bench) writeHistory(ctx context.Context, w workload, r *redisServer, messages int) (cursor string, err error) {
	w.Clients, w.Users, w.Rooms, w.Follow = 1, 1, 1, 1
	s, err := b.launcher.Burble.launch(ctx, w, r)
	if err != nil {
		return "", err
	}
	defer s.Stop()
	l, err := s.openLoad(ctx, w)
	if err != nil {
		return "", err
	}
	defer l.stop()
	if err := l.burst(ctx, messages, b.patience); err != nil {
		return "", err
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/r/%s/messages?limit=%d", s.Port, roomName(0), w.Missed+1)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	var page struct{ Entries []struct{ ID string } }
	if err := requestJSON(request, &page); err != nil {
		return "", err
	}
	if len(page.Entries) != w.Missed+1 {
		return "", fmt.Errorf("the page has %d entries, want %d", len(page.Entries), w.Missed+1)
	}
	return page.Entries[0].ID, nil
}

// measureOpening returns how long it takes until all clients have a connection.
func (b *bench) measureOpening(ctx context.Context, w workload, r *redisServer) (time.Duration, error) {
	s, err := b.launcher.Burble.launch(ctx, w, r)
	if err != nil {
		return 0, err
	}
	defer s.Stop()
	clients := s.newSwarm(w, w.Clients).withoutFollows()
	defer clients.stop()
	if err := clients.start(); err != nil {
		return 0, err
	}
	return clients.connectAll(ctx)
}

// measureResuming has all clients resume, and fills in the result.
func (b *bench) measureResuming(ctx context.Context, p *plan, r *redisServer, res *result, cursor string, messages int) error {
	w := p.work
	s, err := b.launcher.Burble.launch(ctx, w, r)
	if err != nil {
		return err
	}
	defer s.Stop()
	s.resumeFrom(cursor, w.Deflate)
	clients := s.newSwarm(w, w.Clients)
	defer clients.stop()
	clients.setGoal(w.Missed, messages-w.Missed)
	if err := clients.start(); err != nil {
		return err
	}
	b.progress.watch(clients)
	before, err := s.sample(ctx, r)
	if err != nil {
		return err
	}
	finish := b.startProfiles(ctx, p)
	res.Resuming, err = clients.connectToGoal(ctx)
	res.Deliveries = clients.messages()
	var after sample
	if err == nil {
		after, err = s.sample(ctx, r)
	}
	if finishErr := finish(); err == nil {
		err = finishErr
	}
	if err != nil {
		return err
	}
	res.usage = after.since(before, res.Deliveries, 1)
	res.Reads = res.CommandCounts["xread"] + res.CommandCounts["xrange"] + res.CommandCounts["xrevrange"]
	res.Connections, err = r.connections(ctx)
	res.counts = *clients.stop()
	res.Missing = clients.missing([]int64{int64(messages)})
	return err
}
