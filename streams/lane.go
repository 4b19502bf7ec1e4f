package streams

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// A lane takes appends to Redis in the order they came. Those that meet go
// together, as a database commits in groups: one alone is not delayed, and a
// thousand a second cost a fraction.
type lane struct {
	store *Store
	calls chan *appendCall
	last  time.Time       // when the last group was sent
	met   bool            // it was more than one append
	users map[string]bool // whose they were

	enough *time.Timer // ends a gathering

	busy atomic.Pointer[chan struct{}] // closed when the group that is under way is answered
}

const (
	// groupMost bounds how long one round trip holds up Redis: about 4 ms.
	groupMost = 256
	// groupWell is how many make a group that need not wait for more.
	groupWell = 64
	// groupTime is the least time between two groups while appends keep meeting: a
	// round trip costs the server and Redis several times what an append in it does. It
	// is longer than a tail's round, so that each round has one group.
	groupTime = 14 * time.Millisecond
	// hurryTime is the same with an append of somebody who had one in the last group: who
	// says one thing after the other waits for each.
	hurryTime = 4 * time.Millisecond
)

// replicaWait is how long an append waits for a replica before it is uncertain.
const replicaWait = time.Second

func newLane(s *Store) *lane {
	return &lane{
		store: s, calls: make(chan *appendCall), users: make(map[string]bool),
		enough: time.NewTimer(0), // it is set before it is looked at
	}
}

func (l *lane) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case call := <-l.calls:
			answered := make(chan struct{})
			l.busy.Store(&answered)
			l.commit(ctx, l.gather(call))
			l.busy.Store(nil)
			close(answered)
		}
	}
}

// underWay is closed when the group is answered that is under way; nil: none is.
func (l *lane) underWay() <-chan struct{} {
	if answered := l.busy.Load(); answered != nil {
		return *answered
	}
	return nil
}

// gather takes whoever waits already, and while appends keep meeting also those who come
// within a moment.
func (l *lane) gather(first *appendCall) []*appendCall {
	group := []*appendCall{first}
	for hurry := false; len(group) < groupMost; {
		hurry = hurry || l.users[group[len(group)-1].user]
		select {
		case call := <-l.calls:
			group = append(group, call)
			continue
		default:
		}
		left := l.patience(hurry)
		if left <= 0 || len(group) >= groupWell {
			break
		}
		l.enough.Reset(left)
		select {
		case call := <-l.calls:
			group = append(group, call)
		case <-l.enough.C:
		}
	}
	l.last, l.met = time.Now(), len(group) > 1
	clear(l.users)
	for _, call := range group {
		l.users[call.user] = true
	}
	return group
}

// patience is for how long more appends are still waited for.
func (l *lane) patience(hurry bool) time.Duration {
	switch {
	case !l.met:
		return 0
	case hurry:
		return hurryTime - time.Since(l.last)
	}
	return groupTime - time.Since(l.last)
}

// commit sends a group, and sends again what came back without an answer: the
// send keys make that safe. The order stays, so an author's messages do not swap.
func (l *lane) commit(ctx context.Context, group []*appendCall) {
	var err error
	for _, pause := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 400 * time.Millisecond} {
		if pause > 0 {
			time.Sleep(pause)
		}
		if group, err = l.send(ctx, group); len(group) == 0 {
			return
		}
	}
	for _, call := range group {
		call.finish(wrap(err))
	}
}

// send sends the group once, finishes the calls that were answered and returns
// the others with the reason.
func (l *lane) send(ctx context.Context, group []*appendCall) (again []*appendCall, err error) {
	group = waitedFor(group)
	if len(group) == 0 {
		return nil, nil
	}
	node, err := conns.Node(ctx, l.store.redis.Unretried, group[0].keys[0])
	if err != nil {
		return group, err
	}
	pipe := node.Pipeline()
	cmds := make([]*redis.Cmd, len(group))
	for i, call := range group {
		cmds[i] = pipe.EvalSha(ctx, appendScript.Hash(), call.keys, call.args...)
	}
	wait := l.store.askReplicas(ctx, pipe)
	pipe.Exec(ctx)
	for i, call := range group {
		outcome := call.reply(cmds[i])
		if outcome == nil {
			outcome = replicated(wait)
		}
		switch {
		case !answered(outcome):
			again, err = append(again, call), outcome
		case conns.IsReply(outcome, "OOM "):
			l.store.health.full.Store(time.Now().Unix())
			call.finish(wrap(outcome))
		case conns.IsReply(outcome, notAStream):
			call.finish(wrap(outcome))
		default:
			if outcome == nil {
				l.store.health.full.Store(0)
			}
			call.finish(outcome)
		}
	}
	if conns.IsReply(err, "NOSCRIPT ") {
		err = cmp.Or(appendScript.Load(ctx, node).Err(), err)
	}
	return again, err
}

// waitedFor drops the calls whose callers have gone.
func waitedFor(group []*appendCall) []*appendCall {
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

// askReplicas waits, in the pipeline, until a replica has what went before; nil where the
// durability does not ask for that.
func (s *Store) askReplicas(ctx context.Context, pipe redis.Pipeliner) *redis.Cmd {
	if s.options.Durability != Replica {
		return nil
	}
	return pipe.Do(ctx, "wait", 1, replicaWait.Milliseconds())
}

var errNotReplicated = errors.New("no replica has it yet")

// replicated reads WAIT's reply; nil is for the durabilities that do not wait.
func replicated(wait *redis.Cmd) error {
	if wait == nil {
		return nil
	}
	replicas, err := wait.Int()
	if err != nil {
		return err
	}
	if replicas < 1 {
		return errNotReplicated
	}
	return nil
}
