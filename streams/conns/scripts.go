package conns

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// A Call is one call of a script. The script must be idempotent, because Redis may run it twice.
type Call struct {
	Script *redis.Script
	Keys   []string
	Args   []any
	Weight int // see Set.Pipeline
}

// RunScripts makes the calls through [Set.Pipeline], in one round trip, or in two if a server does not have a script
// yet. It returns an error only if ctx is done. The replies hold the errors from Redis.
func (s *Set) RunScripts(ctx context.Context, calls ...Call) ([]*redis.Cmd, error) {
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
		err := s.Pipeline(ctx, weight, func(pipe redis.Pipeliner) {
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

// RunScript makes one call through [Set.Pipeline].
func (s *Set) RunScript(ctx context.Context, call Call) *redis.Cmd {
	replies, err := s.RunScripts(ctx, call)
	if err != nil {
		return failed(err)
	}
	return replies[0]
}

// RunDurably makes one call through [Set.Durable], with the call's first key. unconfirmed is ErrNotReplicated if the
// script has run but no replica has confirmed its writes. Otherwise it is nil, and the reply holds the error, if any.
func (s *Set) RunDurably(ctx context.Context, call Call) (reply *redis.Cmd, unconfirmed error) {
	if !s.replicate {
		return s.RunScript(ctx, call), nil
	}
	err := s.Durable(ctx, call.Weight, call.Keys[0], func(pipe redis.Pipeliner) {
		// This does not use EVALSHA, because if Redis does not have the script, the WAIT would be for nothing.
		reply = call.Script.Eval(ctx, pipe, call.Keys, call.Args...)
	})
	if err != nil && !errors.Is(err, ErrNotReplicated) {
		return failed(err), nil
	}
	return reply, err
}

// failed returns err as a reply.
func failed(err error) *redis.Cmd {
	reply := redis.NewCmd(context.Background())
	reply.SetErr(err)
	return reply
}
