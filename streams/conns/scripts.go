package conns

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// A Call is one call of a script. The script must be repeatable, because Redis may run it twice.
type Call struct {
	Script *redis.Script
	Keys   []string
	Args   []any
	Weight int // see Set.Pipeline
}

// RunScripts makes the calls through [Set.Pipeline], in one round trip, or in two if a server does not have a script yet. It
// returns an error only if ctx is done. The replies hold the errors from Redis.
func (s *Set) RunScripts(ctx context.Context, calls ...Call) ([]*redis.Cmd, error) {
	return runScripts(ctx, calls, func(weight int, queue func(redis.Pipeliner)) error {
		return s.Pipeline(ctx, weight, queue)
	})
}

// RunScript makes one call through [Set.Pipeline].
func (s *Set) RunScript(ctx context.Context, call Call) *redis.Cmd {
	return onlyReply(s.RunScripts(ctx, call))
}

// RunDurably makes one call through [Set.Durable], with the call's first key.
func (s *Set) RunDurably(ctx context.Context, call Call) *redis.Cmd {
	return onlyReply(runScripts(ctx, []Call{call}, func(weight int, queue func(redis.Pipeliner)) error {
		return s.Durable(ctx, weight, call.Keys[0], queue)
	}))
}

// runScripts makes the calls in pipelines that send sends.
func runScripts(ctx context.Context, calls []Call, send func(weight int, queue func(redis.Pipeliner)) error) ([]*redis.Cmd, error) {
	replies := make([]*redis.Cmd, len(calls))
	for _, eval := range []func(*redis.Script, context.Context, redis.Scripter, []string, ...any) *redis.Cmd{
		(*redis.Script).EvalSha, (*redis.Script).Eval,
	} {
		weight := 0
		var missing []int
		for i := range calls {
			if replies[i] == nil || IsReply(replies[i].Err(), "NOSCRIPT ") {
				missing = append(missing, i)
				weight += calls[i].Weight
			}
		}
		if len(missing) == 0 {
			break
		}
		retried := make([]*redis.Cmd, len(missing))
		err := send(weight, func(pipe redis.Pipeliner) {
			for k, i := range missing {
				retried[k] = eval(calls[i].Script, ctx, pipe, calls[i].Keys, calls[i].Args...)
			}
		})
		if err != nil {
			return nil, err
		}
		for k, i := range missing {
			replies[i] = retried[k]
		}
	}
	return replies, nil
}

// onlyReply returns the only reply, or err as a reply.
func onlyReply(replies []*redis.Cmd, err error) *redis.Cmd {
	if err != nil {
		failed := redis.NewCmd(context.Background())
		failed.SetErr(err)
		return failed
	}
	return replies[0]
}
