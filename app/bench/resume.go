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
	if p.target.name != "burble" {
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
	res := &result{Target: p.target.name, Mode: p.mode, Work: p.work}
	if res.Opening, err = b.measureOpening(ctx, p.work, r); err != nil {
		return nil, err
	}
	return res, b.measureResuming(ctx, p, r, res, cursor, messages)
}

// writeHistory sends messages to the room, and returns the cursor after which Missed of
// them follow.
func (b *bench) writeHistory(ctx context.Context, w workload, r *redisServer, messages int) (cursor string, err error) {
	w.Clients, w.Users, w.Rooms, w.Follow = 1, 1, 1, 1
	s, err := launchBurble(ctx, b, w, r)
	if err != nil {
		return "", err
	}
	defer s.stop()
	l, err := newLoad(ctx, s, w)
	if err != nil {
		return "", err
	}
	defer l.stop()
	sender := newSender(s.protocol, l.receiving.clients[0], 0, 0, w.Size, 0)
	for range messages {
		if err := sender.send(time.Now().UnixMicro()); err != nil {
			return "", err
		}
	}
	l.receiving.await(ctx, int64(messages), b.patience)
	if received := l.receiving.messages(); received != int64(messages) {
		return "", fmt.Errorf("only %d of %d messages came back; first error: %s", received, messages, l.receiving.stop().FirstError)
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/r/%s/messages?limit=%d", s.port, roomName(0), w.Missed+1)
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
	s, err := launchBurble(ctx, b, w, r)
	if err != nil {
		return 0, err
	}
	defer s.stop()
	clients := newSwarm(s.port, s.protocol, w, w.Clients).withoutFollows()
	defer clients.stop()
	if err := clients.start(); err != nil {
		return 0, err
	}
	began := time.Now()
	err = clients.connect(ctx, &clients.openCount)
	return time.Since(began), err
}

// measureResuming has all clients resume, and fills in the result.
func (b *bench) measureResuming(ctx context.Context, p *plan, r *redisServer, res *result, cursor string, messages int) error {
	w := p.work
	s, err := launchBurble(ctx, b, w, r)
	if err != nil {
		return err
	}
	defer s.stop()
	s.protocol.request = burbleResume(s.protocol.request, cursor, w.Deflate)
	s.protocol.follow = func([]int) [][]byte { return nil }
	clients := newSwarm(s.port, s.protocol, w, w.Clients)
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
	began := time.Now()
	err = clients.connect(ctx, &clients.goalCount)
	res.Resuming = time.UnixMicro(clients.goalAt.Load()).Sub(began)
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
