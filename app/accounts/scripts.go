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

// run calls a script whose reply begins with a status, and returns when the changes are as durable as messages. It returns
// the rest of the reply, or the error for the status. For a status that is not in statuses, it returns the whole reply.
func (a *Accounts) run(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]string, error) {
	cmd, unconfirmed := a.redis.RunDurably(ctx, conns.Call{Script: script, Keys: keys, Args: args, Weight: 1})
	reply, err := readReply(cmd)
	if err == nil {
		err = unavailable(unconfirmed)
	}
	return reply, err
}

// readReply reads the reply of a script, and returns the same as run.
func readReply(cmd *redis.Cmd) ([]string, error) {
	reply, err := values(cmd)
	if err != nil {
		return nil, err
	}
	statusErr, known := statuses[reply[0]]
	if !known {
		return reply, nil
	}
	return reply[1:], statusErr
}

// values returns the values of a reply, or an error if there are none.
func values(cmd *redis.Cmd) ([]string, error) {
	reply, err := cmd.StringSlice()
	if err == nil && len(reply) == 0 {
		err = errors.New("empty reply from a script")
	}
	return reply, unavailable(err)
}

// unavailable wraps an error from Redis or the network. Such an error never contains a code, because
// commands contain only MACs of codes.
func unavailable(err error) error {
	switch {
	case err == nil:
		return nil
	case conns.IsFull(err):
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
