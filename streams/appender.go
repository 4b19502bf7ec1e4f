package streams

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

const (
	// maxGroupSize limits how long one group blocks Redis, to about 4 ms.
	maxGroupSize = 256
	// fullGroupSize is the size at which a group is sent without waiting for more appends.
	fullGroupSize = 64
	// groupInterval is the minimum time between two groups while appends arrive together. A
	// round trip costs the server and Redis several times as much as another append in the same
	// group. The interval is longer than minRoundTime, so that each round of the tail reads one group.
	groupInterval = 14 * time.Millisecond
	// authorInterval replaces groupInterval if the last group and the next one have an author in
	// common. That author probably sends each message only after the reply to the one before.
	authorInterval = 4 * time.Millisecond
)

// An appender sends appends to Redis in the order in which they arrive. Like a database's group
// commit, it sends appends that arrive together as a group, in one pipeline. A single append is not
// delayed, and many appends share one round trip.
type appender struct {
	store *Store
	calls chan *appendCall

	lastSent    time.Time
	lastShared  bool            // whether the last group had more than one append
	lastAuthors map[string]bool // of the last group
	timer       *time.Timer

	inFlight atomic.Pointer[chan struct{}] // closed when Redis has answered the group; nil if no group is in flight
}

func newAppender(s *Store) *appender {
	return &appender{
		store: s, calls: make(chan *appendCall), lastAuthors: make(map[string]bool),
		timer: time.NewTimer(0), // reset before each use
	}
}

func (a *appender) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case call := <-a.calls:
			answered := make(chan struct{})
			a.inFlight.Store(&answered)
			a.commit(ctx, a.collect(call))
			a.inFlight.Store(nil)
			close(answered)
		}
	}
}

// inFlightDone returns a channel that is closed when Redis has answered the group in flight. It
// returns nil if there is none.
func (a *appender) inFlightDone() <-chan struct{} {
	if answered := a.inFlight.Load(); answered != nil {
		return *answered
	}
	return nil
}

// collect returns a group that consists of first and the calls that are already waiting. While
// appends arrive together, it also waits briefly for more.
func (a *appender) collect(first *appendCall) []*appendCall {
	group := []*appendCall{first}
	for sameAuthor := false; len(group) < maxGroupSize; {
		sameAuthor = sameAuthor || a.lastAuthors[group[len(group)-1].user]
		select {
		case call := <-a.calls:
			group = append(group, call)
			continue
		default:
		}
		left := a.timeToWait(sameAuthor)
		if left <= 0 || len(group) >= fullGroupSize {
			break
		}
		a.timer.Reset(left)
		select {
		case call := <-a.calls:
			group = append(group, call)
		case <-a.timer.C:
		}
	}
	a.lastSent, a.lastShared = time.Now(), len(group) > 1
	clear(a.lastAuthors)
	for _, call := range group {
		a.lastAuthors[call.user] = true
	}
	return group
}

// timeToWait returns how long to wait for more appends.
func (a *appender) timeToWait(sameAuthor bool) time.Duration {
	switch {
	case !a.lastShared:
		return 0
	case sameAuthor:
		return authorInterval - time.Since(a.lastSent)
	}
	return groupInterval - time.Since(a.lastSent)
}

// commit sends a group, and retries the calls whose outcome is not final. Idempotency keys make the
// retries safe. The calls, and therefore an author's messages, stay in order.
func (a *appender) commit(ctx context.Context, group []*appendCall) {
	var err error
	for _, pause := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 400 * time.Millisecond} {
		if pause > 0 {
			time.Sleep(pause)
		}
		if group, err = a.send(ctx, group); len(group) == 0 {
			return
		}
	}
	for _, call := range group {
		call.finish(wrap(err))
	}
}

// send sends a group once and finishes the calls whose outcome is final. It returns the calls
// to retry, and the error of the last of them.
func (a *appender) send(ctx context.Context, group []*appendCall) (again []*appendCall, err error) {
	group = dropCanceled(group)
	if len(group) == 0 {
		return nil, nil
	}
	a.store.health.appended.Store(true)
	node, err := conns.Node(ctx, a.store.redis.Unretried, group[0].keys[0])
	if err != nil {
		return group, err
	}
	pipe := node.Pipeline()
	cmds := make([]*redis.Cmd, len(group))
	for i, call := range group {
		cmds[i] = pipe.EvalSha(ctx, appendScript.Hash(), call.keys, call.args...)
	}
	wait := a.store.redis.PipeWait(ctx, pipe)
	pipe.Exec(ctx)
	for i, call := range group {
		outcome := call.readReply(cmds[i])
		if outcome == nil {
			outcome = conns.CheckReplicated(wait)
		}
		switch {
		case !isFinal(outcome):
			again, err = append(again, call), outcome
		case conns.IsFull(outcome):
			a.store.health.fullAt.Store(time.Now().Unix())
			call.finish(wrap(outcome))
		case conns.IsReply(outcome, notAStream):
			call.finish(wrap(outcome))
		default:
			if outcome == nil {
				a.store.health.fullAt.Store(0)
			}
			call.finish(outcome)
		}
	}
	if conns.IsReply(err, "NOSCRIPT ") {
		err = cmp.Or(appendScript.Load(ctx, node).Err(), err)
	}
	return again, err
}

// dropCanceled finishes the calls whose context is done, and returns the others.
func dropCanceled(group []*appendCall) []*appendCall {
	kept := group[:0]
	for _, call := range group {
		if call.ctx.Err() == nil {
			kept = append(kept, call)
		} else {
			call.finish(fmt.Errorf("%w: %w", ErrUnavailable, call.ctx.Err()))
		}
	}
	return kept
}
