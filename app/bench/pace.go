//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// pacer says messages, as many a second as the work asks, each stream in turn.
type pacer struct {
	work    work
	sources []*source
	starter *client       // of a server that makes the messages itself; nil: there are sources
	mute    bool          // somebody else says it all
	said    []int64       // number of each stream's last message
	late    time.Duration // how far it fell behind its plan at most
}

// newPacer makes what speaks for the work, by clients of the swarm that have joined.
func newPacer(p *protocol, speakers *swarm, w work, speaker func(stream int) int, run int) *pacer {
	pace := &pacer{work: w, said: make([]int64, w.streams())}
	if p.message == nil {
		pace.starter = speakers.clients[0]
		return pace
	}
	for stream := range pace.said {
		client := speakers.clients[speaker(stream)]
		pace.sources = append(pace.sources, newSource(p, client, stream, stream%w.Rooms, w.Size, run))
	}
	return pace
}

// run speaks until all is said or ctx ends. A message's time is that of its own
// write, so what the pacer falls behind counts against nobody but itself.
func (p *pacer) run(ctx context.Context) error {
	if p.starter != nil || p.mute {
		return p.leave(ctx)
	}
	began := time.Now()
	for i := range p.work.messages() {
		due := began.Add(p.work.after(i))
		if err := sleepUntil(ctx, due); err != nil {
			return err
		}
		now := time.Now()
		p.late = max(p.late, now.Sub(due))
		stream := i % len(p.sources)
		if err := p.sources[stream].say(now.UnixMicro()); err != nil {
			return fmt.Errorf("send to the server: %w", err)
		}
		p.said[stream]++
	}
	return pause(ctx, time.Until(began.Add(p.work.Warm+p.work.Lasts)))
}

// leave has the server make the messages, or whoever does.
func (p *pacer) leave(ctx context.Context) error {
	for stream := range p.said {
		p.said[stream] = int64((p.work.messages() + p.work.Rooms - 1 - stream) / p.work.Rooms)
	}
	if p.starter != nil {
		frame, _ := clientFrame(opText, []byte("begin"))
		if err := p.starter.write(frame); err != nil {
			return err
		}
	}
	return pause(ctx, p.work.Warm+p.work.Lasts)
}

// sleepUntil waits for a moment, unless ctx ends.
func sleepUntil(ctx context.Context, due time.Time) error {
	for wait := time.Until(due); wait > 0; wait = time.Until(due) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(min(wait, 100*time.Millisecond))
	}
	return nil
}

// expected is how many deliveries it makes to say so much in each stream.
func expected(w work, said []int64) (count int64) {
	readers := w.readers()
	for stream, number := range said {
		count += number * int64(readers[stream%w.Rooms])
	}
	return count
}
