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
	appendScript      = script("lib", "reactions", "trim", "append")
	retainScript      = script("lib", "reactions", "trim", "retain")
	detectTrimScript  = script("lib", "detect_trim")
	pageScript        = script("lib", "page")
	unreadScript      = script("unread")
	markReadScript    = script("lib", "mark_read")
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
			panic(err) // only if a name above is wrong
		}
		all.Write(text)
	}
	return redis.NewScript(all.String())
}

// scriptCall is one call of a script.
type scriptCall struct {
	keys []string
	args []any
}

// runScripts calls a script many times in one round trip, or two if a server does not have the
// script yet. It may repeat the calls.
func (s *Store) runScripts(ctx context.Context, script *redis.Script, calls []scriptCall) []*redis.Cmd {
	replies := make([]*redis.Cmd, len(calls))
	for _, eval := range []func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd{
		script.EvalSha, script.Eval,
	} {
		pipe := s.redis.Retrying.Pipeline()
		for i, call := range calls {
			if replies[i] == nil || conns.IsReply(replies[i].Err(), "NOSCRIPT ") {
				replies[i] = eval(ctx, pipe, call.keys, call.args...)
			}
		}
		if pipe.Len() > 0 {
			pipe.Exec(ctx)
		}
	}
	return replies
}
