//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"burble/app/bench/load"
	"burble/app/bench/proc"
	"burble/app/bench/report"
	"burble/app/bench/target"
	"burble/app/bench/wire"
)

// earlierMessages is the number of messages in the room before the missed ones.
const earlierMessages = 50

// runResume measures a reconnect storm: all clients resume at once from the same cursor, on a
// server that has just started. For comparison, it measures how long the same number of clients
// take just to open connections.
func (b *bench) runResume(ctx context.Context, p *report.Plan, _ int) (*report.Result, error) {
	if p.Target != "burble" {
		return nil, errors.New("mode resume measures only Burble")
	}
	r, err := proc.StartRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Stop()
	messages := p.Work.Missed + earlierMessages
	cursor, err := b.writeHistory(ctx, p.Work, r, messages)
	if err != nil {
		return nil, err
	}
	res := &report.Result{Target: p.Target, Mode: p.Mode, Work: p.Work}
	if res.Opening, err = b.measureOpening(ctx, p.Work, r); err != nil {
		return nil, err
	}
	return res, b.measureResuming(ctx, p, r, res, cursor, messages)
}

// writeHistory sends messages to the room, and returns the cursor before the last w.Missed messages.
func (b *bench) writeHistory(ctx context.Context, w load.Workload, r *proc.Redis, messages int) (cursor string, err error) {
	w.Clients, w.Users, w.Rooms, w.Follow = 1, 1, 1, 1
	s, err := b.launcher.Burble.Launch(ctx, w, r)
	if err != nil {
		return "", err
	}
	defer s.Stop()
	l, err := s.Load(ctx, w)
	if err != nil {
		return "", err
	}
	defer l.Stop()
	if err := l.Burst(ctx, messages, b.patience); err != nil {
		return "", err
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/r/%s/messages?limit=%d", s.Port, wire.RoomName(0), w.Missed+1)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	var page struct{ Entries []struct{ ID string } }
	if err := target.RequestJSON(request, &page); err != nil {
		return "", err
	}
	if len(page.Entries) != w.Missed+1 {
		return "", fmt.Errorf("the page has %d entries, want %d", len(page.Entries), w.Missed+1)
	}
	return page.Entries[0].ID, nil
}

// measureOpening returns the time until all clients have opened a connection.
func (b *bench) measureOpening(ctx context.Context, w load.Workload, r *proc.Redis) (time.Duration, error) {
	s, err := b.launcher.Burble.Launch(ctx, w, r)
	if err != nil {
		return 0, err
	}
	defer s.Stop()
	clients := s.Swarm(w, w.Clients).WithoutFollows()
	defer clients.Stop()
	if err := clients.Start(); err != nil {
		return 0, err
	}
	return clients.ConnectAll(ctx)
}

// measureResuming makes all clients resume, and fills in the result.
func (b *bench) measureResuming(ctx context.Context, p *report.Plan, r *proc.Redis, res *report.Result, cursor string, messages int) error {
	w := p.Work
	s, err := b.launcher.Burble.Launch(ctx, w, r)
	if err != nil {
		return err
	}
	defer s.Stop()
	s.ResumeFrom(cursor, w.Deflate)
	clients := s.Swarm(w, w.Clients)
	defer clients.Stop()
	clients.SetGoal(w.Missed, messages-w.Missed)
	if err := clients.Start(); err != nil {
		return err
	}
	b.progress.watch(clients)
	before, err := s.Sample(ctx, r)
	if err != nil {
		return err
	}
	finish := b.startProfiles(ctx, p)
	res.Resuming, err = clients.ConnectToGoal(ctx)
	res.Deliveries = clients.Messages()
	var after proc.Sample
	if err == nil {
		after, err = s.Sample(ctx, r)
	}
	if finishErr := finish(); err == nil {
		err = finishErr
	}
	if err != nil {
		return err
	}
	res.Usage = after.Since(before, res.Deliveries, 1)
	res.Reads = res.CommandCounts["xread"] + res.CommandCounts["xrange"] + res.CommandCounts["xrevrange"]
	res.Connections, err = r.Connections(ctx)
	res.Counts = *clients.Stop()
	res.Missing = clients.Missing([]int64{int64(messages)})
	return err
}
