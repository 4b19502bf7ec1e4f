package streams

import (
	"context"
	"embed"
	"strings"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// The scripts that Redis runs. Each file begins with its KEYS, ARGV and reply.
var (
	appendScript      = script("lib", "rights", "reactions", "trim", "append")
	uploadScript      = script("lib", "rights", "upload")
	dueFilesScript    = script("lib", "due_files")
	claimFileScript   = script("lib", "claim_file")
	createRoomScript  = script("lib", "rights", "create_room")
	deleteRoomScript  = script("lib", "rights", "delete_room")
	retainScript      = script("lib", "reactions", "trim", "retain")
	detectTrimScript  = script("lib", "detect_trim")
	pageScript        = script("lib", "rights", "page")
	unreadScript      = script("lib", "rights", "unread")
	markReadScript    = script("lib", "mark_read")
	signalScript      = script("lib", "rights", "signal")
	presenceScript    = script("presence")
	heartbeatScript   = script("lib", "heartbeat")
	deadServersScript = script("lib", "dead_servers")
)

// script concatenates files from the folder lua into one script.
func script(names ...string) *redis.Script {
	var all strings.Builder
	for _, name := range names {
		text, err := luaFiles.ReadFile("lua/" + name + ".lua")
		if err != nil {
			panic(err) // a name above is wrong
		}
		all.Write(text)
	}
	return redis.NewScript(all.String())
}

// scriptCall is one call of a script.
type scriptCall struct {
	script *redis.Script
	keys   []string
	args   []any
	weight int // see conns.Set.Pipeline
}

// runScripts makes the calls in one round trip, or two if a server does not have a script yet. It
// may repeat calls. It returns an error only if ctx is done. The replies hold the errors from Redis.
func (s *Store) runScripts(ctx context.Context, calls ...scriptCall) ([]*redis.Cmd, error) {
	replies := make([]*redis.Cmd, len(calls))
	for _, eval := range []func(*redis.Script, context.Context, redis.Scripter, []string, ...any) *redis.Cmd{
		(*redis.Script).EvalSha, (*redis.Script).Eval,
	} {
		weight := 0
		var missing []int
		for i := range calls {
			if replies[i] == nil || conns.IsReply(replies[i].Err(), "NOSCRIPT ") {
				missing = append(missing, i)
				weight += calls[i].weight
			}
		}
		if len(missing) == 0 {
			break
		}
		retried := make([]*redis.Cmd, len(missing))
		err := s.redis.Pipeline(ctx, weight, func(pipe redis.Pipeliner) {
			for k, i := range missing {
				retried[k] = eval(calls[i].script, ctx, pipe, calls[i].keys, calls[i].args...)
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

// runScript makes one call.
func (s *Store) runScript(ctx context.Context, call scriptCall) *redis.Cmd {
	replies, err := s.runScripts(ctx, call)
	if err != nil {
		failed := redis.NewCmd(ctx)
		failed.SetErr(err)
		return failed
	}
	return replies[0]
}

// runDurably makes one call, and returns when its writes are as durable as the options require. It may repeat
// the call.
func (s *Store) runDurably(ctx context.Context, call scriptCall) *redis.Cmd {
	if s.options.Durability != Replica {
		return s.runScript(ctx, call)
	}
	failed := redis.NewCmd(ctx)
	// WAIT covers only writes over the same connection.
	node, err := conns.Node(ctx, s.redis.Retrying, call.keys[0])
	if err != nil {
		failed.SetErr(err)
		return failed
	}
	pipe := node.Pipeline()
	reply := call.script.Eval(ctx, pipe, call.keys, call.args...) // not EVALSHA: these calls are rare
	wait := s.pipeWait(ctx, pipe)
	pipe.Exec(ctx)
	if err := checkReplicated(wait); reply.Err() == nil && err != nil {
		reply.SetErr(err)
	}
	return reply
}
