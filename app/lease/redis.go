package lease

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A cursor is where the next step begins. Redis keeps it as "<moves>:<value>".
type cursor struct {
	stored string // as in Redis; empty before the first move
	moves  int    // counts the moves, to distinguish equal values at different times
	value  string
}

func parseCursor(stored string) (cursor, error) {
	if stored == "" {
		return cursor{}, nil
	}
	moves, value, found := strings.Cut(stored, ":")
	n, err := strconv.Atoi(moves)
	if !found || err != nil {
		return cursor{}, fmt.Errorf("invalid cursor %q", stored)
	}
	return cursor{stored, n, value}, nil
}

// The scripts may run twice, because go-redis repeats a command whose reply is lost. They call DEL before SET, because a
// full Redis runs a script only if its first write needs no memory. Jobs that free memory must be able to run then.
var (
	// acquireScript acquires the lease, unless another server holds it.
	//
	// KEYS  1 lease  2 cursor
	// ARGV  1 token  2 lifetime in ms
	// Reply the cursor, or nil if another server holds the lease
	acquireScript = redis.NewScript(`
		local holder = redis.call('GET', KEYS[1])
		if holder and holder ~= ARGV[1] then return false end
		redis.call('DEL', KEYS[1])
		redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
		return redis.call('GET', KEYS[2]) or ''`)

	// renewScript renews the lease if the caller holds it.
	//
	// KEYS  1 lease
	// ARGV  1 token  2 lifetime in ms
	// Reply 1, or 0 if the caller does not hold the lease
	renewScript = redis.NewScript(`
		if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
		return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

	// releaseScript ends the lease if the caller holds it.
	//
	// KEYS  1 lease
	// ARGV  1 token
	releaseScript = redis.NewScript(`
		if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
		return 1`)

	// moveScript moves the cursor, unless it has moved since the caller read it.
	//
	// KEYS  1 cursor
	// ARGV  1 the cursor that the caller read, or ''  2 the new one
	// Reply 1, or 0 if the cursor has moved
	moveScript = redis.NewScript(`
		local stored = redis.call('GET', KEYS[1]) or ''
		if stored == ARGV[2] then return 1 end
		if stored ~= ARGV[1] then return 0 end
		redis.call('DEL', KEYS[1])
		redis.call('SET', KEYS[1], ARGV[2])
		return 1`)
)

// acquire returns false if another server holds the lease.
func (j *Job) acquire(ctx context.Context) (cursor, bool, error) {
	stored, err := acquireScript.Run(ctx, j.options.Redis.Retrying, []string{j.leaseKey(), j.cursorKey()},
		j.token, j.options.Lifetime.Milliseconds()).Text()
	if errors.Is(err, redis.Nil) {
		return cursor{}, false, nil
	}
	if err != nil {
		return cursor{}, false, fmt.Errorf("acquire the lease: %w", err)
	}
	found, err := parseCursor(stored)
	return found, err == nil, err
}

// renew returns false if this server does not hold the lease.
func (j *Job) renew(ctx context.Context) (bool, error) {
	renewed, err := renewScript.Run(ctx, j.options.Redis.Retrying, []string{j.leaseKey()},
		j.token, j.options.Lifetime.Milliseconds()).Int()
	if err != nil {
		return false, fmt.Errorf("renew the lease: %w", err)
	}
	return renewed == 1, nil
}

func (j *Job) release(ctx context.Context) error {
	if err := releaseScript.Run(ctx, j.options.Redis.Retrying, []string{j.leaseKey()}, j.token).Err(); err != nil {
		return fmt.Errorf("release the lease: %w", err)
	}
	return nil
}

// move moves the cursor to the value, and returns it. It does nothing if the cursor already has the value.
func (j *Job) move(ctx context.Context, from cursor, value string) (cursor, error) {
	if value == from.value {
		return from, nil
	}
	to := cursor{moves: from.moves + 1, value: value}
	to.stored = fmt.Sprintf("%d:%s", to.moves, value)
	moved, err := moveScript.Run(ctx, j.options.Redis.Retrying, []string{j.cursorKey()}, from.stored, to.stored).Int()
	if err != nil {
		return from, fmt.Errorf("move the cursor: %w", err)
	}
	if moved == 0 {
		return from, fmt.Errorf("move the cursor: another server has moved it: %w", errLost)
	}
	return to, nil
}

func (j *Job) leaseKey() string  { return j.options.Prefix + "{0}:lease:" + j.options.Name }
func (j *Job) cursorKey() string { return j.options.Prefix + "{0}:cursor:" + j.options.Name }
