package streams

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// keyTTL is how long Redis remembers an idempotency key. A retry within this time is not stored again.
const keyTTL = 24 * time.Hour

// Errors of an append that must not be retried.
var (
	ErrNotFound         = errors.New("no such message")
	ErrNotYours         = errors.New("someone else wrote the message")
	ErrKeyTaken         = errors.New("the key was used for another entry")
	ErrTooManyReactions = errors.New("the message has 50 different reactions")
	ErrNoRoom           = errors.New("the room has no entries")
	ErrTooManyUsers     = errors.New("too many users reacted to the message")
)

// Stored is the outcome of an append.
type Stored struct {
	Cursor   Cursor
	Repeated bool // an earlier append with the same key stored the entry
	// Author is the author of a message that the user deleted as a moderator. It is zero if the user deleted
	// their own message, and if the append is Repeated.
	Author User
	// HadFiles reports whether the append deleted a message with files. They are due (see DueFiles) after 10 s.
	// It is false if the append is Repeated.
	HadFiles bool
}

// Append stores the entry in the room, and returns when it is as durable as the options
// require. Repeated calls with the same Key within 24 hours store only one entry. The author
// is the Access's user, and Append ignores entry.User. Redis assigns the ID and the number.
//
// A message's Files, and the picture of its Preview, must be uploads by the same user to the same room that
// have not been sent before. Otherwise, Append returns ErrNoFile.
//
// For an Edit, a React or a Delete, entry.Of must be the ID of a message. A user may edit only
// their own messages, and may delete those of others only as a moderator of the room. After
// ErrUnavailable the outcome is unknown, and the caller should retry with the same Key.
func (a Access) Append(ctx context.Context, room string, entry Entry) (Stored, error) {
	granted, err := a.admit(room, writing)
	if err != nil {
		return Stored{}, err
	}
	return a.store.append(ctx, granted, entry, true)
}

// AppendExisting is like Append, but returns ErrNoRoom if the room does not exist yet.
func (a Access) AppendExisting(ctx context.Context, room string, entry Entry) (Stored, error) {
	granted, err := a.admit(room, writing)
	if err != nil {
		return Stored{}, err
	}
	return a.store.append(ctx, granted, entry, false)
}

func (s *Store) append(ctx context.Context, granted grant, entry Entry, mayCreate bool) (Stored, error) {
	room := granted.room
	if granted.right != writing {
		return Stored{}, fmt.Errorf("append to room %q: the grant is not for writing", room)
	}
	uploads, err := entry.uploads()
	if err != nil {
		return Stored{}, fmt.Errorf("append to room %q: %w", room, err)
	}
	isAdded := entry.Kind == MemberChanged && granted.ifMember && entry.Role != NoRole
	if isAdded {
		// The list comes first, as createHidden explains. The call below lists the room again, in case a
		// concurrent removal of the same member has removed it from the list.
		if err := s.listMember(ctx, room, &entry); err != nil {
			return Stored{}, fmt.Errorf("append to room %q: %w", room, err)
		}
	}
	call := &appendCall{
		ctx:  ctx,
		keys: s.appendKeys(room, &entry, uploads),
		args: s.appendArgs(granted, &entry, mayCreate),
		user: granted.user.ID,
		done: make(chan struct{}),
	}
	select {
	case s.appenders[bucketOf(room)%len(s.appenders)].calls <- call:
	case <-s.stopped:
		return Stored{}, fmt.Errorf("append to room %q: %w: the store has stopped", room, ErrUnavailable)
	case <-ctx.Done():
		return Stored{}, fmt.Errorf("append to room %q: %w: %w", room, ErrUnavailable, ctx.Err())
	}
	select {
	case <-call.done:
	case <-ctx.Done():
		return Stored{}, fmt.Errorf("append to room %q: %w: %w", room, ErrUnavailable, ctx.Err())
	}
	if call.err != nil {
		if isAdded && !errors.Is(call.err, ErrUnavailable) {
			_ = s.unlistFor(ctx, room, entry.Member.ID) // if it fails, the list contains a room that is never shown
		}
		return Stored{}, fmt.Errorf("append to room %q: %w", room, call.err)
	}
	if entry.Kind == MemberChanged && granted.ifMember {
		if err := s.listMember(ctx, room, &entry); err != nil { // a retry with the same key repeats this
			return Stored{}, fmt.Errorf("append to room %q: %w", room, err)
		}
	}
	if !call.stored.Repeated {
		s.lastStored.add(room, call.stored.Cursor)
	}
	return call.stored, nil
}

// appendKeys returns the KEYS of append.lua. uploads are the IDs of the entry's files.
func (s *Store) appendKeys(room string, entry *Entry, uploads []string) []string {
	bucket := bucketOf(room)
	keys := append(s.keys.history(room), s.keys.activity(bucket), s.keys.list(room), s.keys.sent(room, entry.Key), s.keys.members(room))
	if entry.Kind == Delete || len(uploads) > 0 {
		keys = append(keys, s.keys.files(bucket))
	}
	for _, id := range uploads {
		keys = append(keys, s.keys.file(bucket, id))
	}
	return keys
}

// appendArgs returns the ARGV of append.lua.
func (s *Store) appendArgs(granted grant, entry *Entry, mayCreate bool) []any {
	args, create := make([]any, 0, 18), ""
	if mayCreate {
		create = "1"
	}
	args = append(args,
		granted.room, rand.Text()[:12], randomSeq(), keyTTL.Milliseconds(), s.maxCount, s.maxAge.Milliseconds(),
		string(entry.Kind), entry.Key, granted.user.ID, granted.user.Name, create, granted.rank.name(),
	)
	for _, field := range kindFields[entry.Kind] {
		if entry.Kind == SettingsChanged && slices.Contains(entry.Unchanged, field.name) {
			continue
		}
		if value := field.get(entry); value != "" || !field.isOptional {
			args = append(args, field.name, value)
		}
	}
	return args
}

// randomSeq returns a random second part for a new entry's ID.
func randomSeq() uint16 {
	var random [2]byte
	rand.Read(random[:])
	return binary.BigEndian.Uint16(random[:])
}

// retentionCall returns a call that trims a room. Busy rooms do not need it, because appends trim them.
func (s *Store) retentionCall(room string) conns.Call {
	return conns.Call{
		Script: retainScript, Weight: 2, Keys: append(s.keys.history(room), s.keys.list(room)),
		Args: []any{s.maxCount, s.maxAge.Milliseconds(), room},
	}
}

// appendCall is one append that waits for the appender or for Redis.
type appendCall struct {
	ctx  context.Context // the caller's; once it is done, the appender drops the call
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

// readReply reads the reply of append.lua.
func (c *appendCall) readReply(cmd *redis.Cmd) error {
	reply, err := cmd.StringSlice()
	if err != nil {
		return err
	}
	switch reply[0] {
	case "stored", "repeated":
		id, err := ParseID(reply[1])
		c.stored = Stored{Cursor: Cursor{id, reply[2]}, Repeated: reply[0] == "repeated"}
		if len(reply) > 5 {
			c.stored.HadFiles, c.stored.Author = reply[3] == "1", User{reply[4], reply[5]}
		}
		return err
	case "not_found":
		return ErrNotFound
	case "not_yours":
		return ErrNotYours
	case "key_taken":
		return ErrKeyTaken
	case "too_many":
		return ErrTooManyReactions
	case "no_room":
		return ErrNoRoom
	case "too_many_users":
		return ErrTooManyUsers
	case "no_file":
		return ErrNoFile
	}
	if refused := refusals[reply[0]]; refused != nil {
		return refused
	}
	return fmt.Errorf("append.lua replied %q", reply)
}

// isFinal reports whether err is the final outcome of an append, because the entry is stored or a
// retry would fail too.
func isFinal(err error) bool {
	for _, refused := range refusals {
		if errors.Is(err, refused) {
			return true
		}
	}
	return err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrNotYours) || errors.Is(err, ErrKeyTaken) ||
		errors.Is(err, ErrTooManyReactions) || errors.Is(err, ErrTooManyUsers) || errors.Is(err, ErrNoRoom) || errors.Is(err, ErrNoFile) || conns.IsFull(err) || conns.IsReply(err, notAStream)
}
