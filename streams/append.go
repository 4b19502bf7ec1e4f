package streams

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// keyKept is how long a send key is remembered: a retry is stored once within it.
const keyKept = 24 * time.Hour

// Errors of an append that Redis understood and refused.
var (
	ErrNotFound         = errors.New("there is no such message")
	ErrNotYours         = errors.New("the message is somebody else's")
	ErrKeyTaken         = errors.New("the key was used for something else")
	ErrTooManyReactions = errors.New("the message has 50 different reactions")
)

// Stored is the outcome of an append.
type Stored struct {
	Cursor   Cursor
	Repeated bool // the key was known: this is the entry it stored then
}

// Append stores the entry in the room, once for its Key however often it is
// called with it within 24 hours, and returns when it is as durable as the
// options ask. The author is the Access's user, whatever entry.User says. The ID,
// the number and the time are Redis' to give.
//
// An entry with Of must name a message, an Edit or a Delete one of the user's
// own. On ErrUnavailable nobody knows: call again with the same key.
func (a Access) Append(ctx context.Context, room string, entry Entry) (Stored, error) {
	granted, err := a.admit(room, writing)
	if err != nil {
		return Stored{}, err
	}
	return a.store.append(ctx, granted, entry)
}

func (s *Store) append(ctx context.Context, to grant, entry Entry) (Stored, error) {
	room := to.room
	if planted("early_ack") {
		return Stored{Cursor: Cursor{ID: ID{Millis: uint64(time.Now().UnixMilli())}, Epoch: noEpoch}}, nil
	}
	call := &appendCall{
		ctx:  ctx,
		keys: s.appendKeys(room, entry.Key),
		args: s.appendArgs(to, entry),
		user: to.user.ID,
		done: make(chan struct{}),
	}
	select {
	case s.lanes[bucketOf(room)%len(s.lanes)].calls <- call:
	case <-s.ended:
		return Stored{}, fmt.Errorf("append to room %q: %w: the store has ended", room, ErrUnavailable)
	case <-ctx.Done():
		return Stored{}, fmt.Errorf("append to room %q: %w: %w", room, ErrUnavailable, ctx.Err())
	}
	select {
	case <-call.done:
	case <-ctx.Done():
		return Stored{}, fmt.Errorf("append to room %q: %w: %w", room, ErrUnavailable, ctx.Err())
	}
	if call.err != nil {
		return Stored{}, fmt.Errorf("append to room %q: %w", room, call.err)
	}
	return call.stored, nil
}

func (s *Store) appendKeys(room, key string) []string {
	if planted("no_keys") {
		key = rand.Text()
	}
	return []string{
		s.keys.room(room), s.keys.meta(room), s.keys.amended(room), s.keys.erased(room),
		s.keys.activity(bucketOf(room)), s.keys.rooms(bucketOf(room)), s.keys.sent(room, key),
	}
}

func (s *Store) appendArgs(to grant, entry Entry) []any {
	text, of := entry.Text, entry.Of
	if entry.Kind == Message {
		of = entry.ReplyTo
	}
	if entry.Kind == React {
		text = entry.Emoji
	}
	amended, on := "", ""
	if !of.IsZero() {
		amended = of.String()
	}
	if entry.On {
		on = "1"
	}
	return []any{
		to.room, rand.Text()[:12], keyKept.Milliseconds(), s.options.MaxCount, s.options.MaxAge.Milliseconds(),
		string(entry.Kind), entry.Key, to.user.ID, to.user.Name, text, amended, on, chance(),
	}
}

// chance is the second part of an entry's ID.
func chance() uint16 {
	var of [2]byte
	rand.Read(of[:])
	return binary.BigEndian.Uint16(of[:])
}

// trim applies the retention to a room that nobody appends to.
func (s *Store) trim(ctx context.Context, room string) error {
	keys := s.appendKeys(room, "")[:4]
	err := retainScript.Run(ctx, s.redis.Retrying, keys, s.options.MaxCount, s.options.MaxAge.Milliseconds()).Err()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("trim room %q: %w", room, wrap(err))
	}
	return nil
}

// appendCall is one append on its way to Redis and back.
type appendCall struct {
	ctx  context.Context // the caller's: a call that nobody waits for is not begun
	keys []string
	args []any
	user string

	done   chan struct{} // closed when stored and err are set
	stored Stored
	err    error
}

func (c *appendCall) finish(err error) {
	c.err = err
	close(c.done)
}

// reply reads what append.lua returned.
func (c *appendCall) reply(cmd *redis.Cmd) error {
	reply, err := cmd.StringSlice()
	if err != nil {
		return err
	}
	switch reply[0] {
	case "stored", "repeated":
		id, err := ParseID(reply[1])
		c.stored = Stored{Cursor{id, reply[2]}, reply[0] == "repeated"}
		return err
	case "not_found":
		return ErrNotFound
	case "not_yours":
		return ErrNotYours
	case "key_taken":
		return ErrKeyTaken
	case "too_many":
		return ErrTooManyReactions
	}
	return fmt.Errorf("append.lua replied %q", reply)
}

// answered says whether the outcome is known: the entry is stored, or it is
// certain that it is not and that trying again would not change that.
func answered(err error) bool {
	return err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrNotYours) ||
		errors.Is(err, ErrKeyTaken) || errors.Is(err, ErrTooManyReactions) || conns.IsReply(err, "OOM ", notAStream)
}
