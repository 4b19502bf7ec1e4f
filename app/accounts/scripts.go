package accounts

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// The scripts that Redis runs. Each file begins with its KEYS, ARGV and reply.
var (
	banScript           = script("lib", "ban")
	changePasskeyScript = script("lib", "change_passkey")
	inviteScript        = script("lib", "invite")
	joinScript          = script("lib", "join")
	leaveScript         = script("lib", "leave")
	linkScript          = script("lib", "link")
	passkeyScript       = script("lib", "passkey")
	redeemScript        = script("lib", "redeem")
	renameScript        = script("lib", "rename")
	revokeInviteScript  = script("lib", "revoke_invite")
	roleScript          = script("lib", "role")
	setupScript         = script("setup")
	signInScript        = script("lib", "sign_in")
	signOutScript       = script("lib", "sign_out")
	spendLinkScript     = script("lib", "spend_link")
	touchScript         = script("lib", "touch")
	verdictScript       = script("verdict")
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

// statuses maps the status in a script's reply to an error.
var statuses = map[string]error{
	"ok":          nil,
	"banned":      ErrBanned,
	"code":        ErrCode,
	"exists":      ErrExists,
	"last_owner":  ErrLastOwner,
	"not_allowed": ErrNotAllowed,
	"signed_out":  ErrSignedOut,
	"unknown":     ErrUnknown,
}

// A call is a script with its keys and arguments.
type call struct {
	script *redis.Script
	keys   []string
	args   []any
}

// run calls a script whose reply begins with a status. It returns the rest of the reply, or the error for the status. For
// a status that is not in statuses, it returns the whole reply. Redis may run the script twice, so every script must be
// repeatable.
func (a *Accounts) run(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]string, error) {
	replies, err := a.runAll(ctx, call{script, keys, args})
	if err != nil {
		return nil, err
	}
	reply := replies[0]
	statusErr, known := statuses[reply[0]]
	if !known {
		return reply, nil
	}
	return reply[1:], statusErr
}

// runAll makes the calls in one pipeline, or in two if Redis does not have one of the scripts yet. Each reply has at least
// one value.
func (a *Accounts) runAll(ctx context.Context, calls ...call) ([][]string, error) {
	pending := make([]*redis.Cmd, len(calls))
	for _, eval := range []func(*redis.Script, context.Context, redis.Scripter, []string, ...any) *redis.Cmd{
		(*redis.Script).EvalSha, (*redis.Script).Eval,
	} {
		var missing []int
		for i := range calls {
			if pending[i] == nil || conns.IsReply(pending[i].Err(), "NOSCRIPT ") {
				missing = append(missing, i)
			}
		}
		if len(missing) == 0 {
			break
		}
		retried := make([]*redis.Cmd, len(missing))
		err := a.redis.Pipeline(ctx, len(missing), func(pipe redis.Pipeliner) {
			for k, i := range missing {
				retried[k] = eval(calls[i].script, ctx, pipe, calls[i].keys, calls[i].args...)
			}
		})
		if err != nil {
			return nil, unavailable(err)
		}
		for k, i := range missing {
			pending[i] = retried[k]
		}
	}
	replies := make([][]string, len(calls))
	for i, cmd := range pending {
		var err error
		if replies[i], err = cmd.StringSlice(); err == nil && len(replies[i]) == 0 {
			err = errors.New("empty reply from a script")
		}
		if err != nil {
			return nil, unavailable(err)
		}
	}
	return replies, nil
}

// unavailable wraps an error from Redis or the network. None of them contains a code, because commands
// contain only MACs of codes.
func unavailable(err error) error {
	switch {
	case err == nil:
		return nil
	case conns.IsFull(err):
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
