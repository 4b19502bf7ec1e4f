package attachments

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"burble/streams"
	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// markAge is Lua that defines clock(), the time in ms by Redis's clock, and mark_age(key), which returns the age of the mark in
// a set of references in ms, and its token, or nil if the object is not being removed.
const markAge = `
		local function clock()
			local now = redis.call('TIME')
			return now[1] * 1000 + math.floor(now[2] / 1000)
		end
		local function mark_age(key)
			if redis.call('SCARD', key) ~= 1 then return nil end
			local since, token = string.match(redis.call('SMEMBERS', key)[1], '^%-(%d+):(.*)$')
			return since and clock() - tonumber(since), token
		end
`

// The scripts may run twice, because go-redis repeats a command whose reply is lost.
var (
	// reserveScript reserves the bytes of an upload, and begins its entry in the journal.
	//
	// KEYS  1 bytes  2 day  3 journal
	// ARGV  1 file ID  2 entry  3 size  4 limit of all bytes, or 0  5 limit of the day, or 0  6 life of the day in s
	// Reply 'ok', or the limit that it would exceed: 'total' or 'day'
	reserveScript = redis.NewScript(`
		if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then return 'ok' end
		local size, total, day = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
		if total > 0 and tonumber(redis.call('GET', KEYS[1]) or '0') + size > total then return 'total' end
		if day > 0 and tonumber(redis.call('GET', KEYS[2]) or '0') + size > day then return 'day' end
		redis.call('INCRBY', KEYS[1], ARGV[3])
		redis.call('INCRBY', KEYS[2], ARGV[3])
		redis.call('EXPIRE', KEYS[2], ARGV[6])
		redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
		return 'ok'`)

	// settleScript ends the entry of an upload in the journal, and changes what is reserved.
	//
	// KEYS  1 bytes  2 day  3 journal
	// ARGV  1 file ID  2 how many bytes to add to all bytes; may be negative  3 how many to give back to the user
	settleScript = redis.NewScript(`
		if redis.call('HDEL', KEYS[3], ARGV[1]) == 0 then return 0 end
		redis.call('INCRBY', KEYS[1], ARGV[2])
		if ARGV[3] ~= '0' and redis.call('EXISTS', KEYS[2]) == 1 then redis.call('DECRBY', KEYS[2], ARGV[3]) end
		return 1`)

	// referScript adds a reference to an object.
	//
	// KEYS  1 references
	// ARGV  1 file ID  2 life of a mark in ms
	// Reply how many other references there are, or -1 if the object is being removed
	referScript = redis.NewScript(markAge + `
		local age = mark_age(KEYS[1])
		if age and age < tonumber(ARGV[2]) then return -1 end
		if age then redis.call('DEL', KEYS[1]) end
		redis.call('SADD', KEYS[1], ARGV[1])
		return redis.call('SCARD', KEYS[1]) - 1`)

	// unreferScript removes a reference to an object. If that was the last one, it marks the object, so that only the
	// caller may remove it.
	//
	// KEYS  1 references
	// ARGV  1 file ID, or '' for none  2 token  3 life of a mark in ms
	// Reply {'kept'}, {'busy'} if another caller is removing the object, or {'marked', mark}
	unreferScript = redis.NewScript(markAge + `
		redis.call('SREM', KEYS[1], ARGV[1])
		local age, token = mark_age(KEYS[1])
		if age and token ~= ARGV[2] and age < tonumber(ARGV[3]) then return {'busy'} end
		if age then redis.call('DEL', KEYS[1]) end
		if redis.call('SCARD', KEYS[1]) > 0 then return {'kept'} end
		local mark = string.format('-%.0f:%s', clock(), ARGV[2])
		redis.call('SADD', KEYS[1], mark)
		return {'marked', mark}`)

	// removedScript unmarks an object that the caller has removed.
	//
	// KEYS  1 references  2 bytes
	// ARGV  1 mark  2 how many bytes there are less
	removedScript = redis.NewScript(`
		if redis.call('SREM', KEYS[1], ARGV[1]) == 0 then return 0 end
		redis.call('DECRBY', KEYS[2], ARGV[2])
		return 1`)

	// correctScript changes the bytes of all objects, once for each sweep.
	//
	// KEYS  1 bytes  2 the last sweep that has corrected them
	// ARGV  1 sweep  2 how many bytes to add; may be negative
	correctScript = redis.NewScript(`
		if redis.call('GET', KEYS[2]) == ARGV[1] then return 0 end
		redis.call('SET', KEYS[2], ARGV[1])
		redis.call('INCRBY', KEYS[1], ARGV[2])
		return 1`)
)

const (
	// markLife is after how long another server may continue the removal of an object, or an upload may store it again.
	markLife = time.Minute
	// removalTimeout is how long a server has to remove an object that it has marked. It is much less than markLife, so
	// that two servers never remove the same object: the slower one could remove it after it was stored again.
	removalTimeout = 10 * time.Second
	// dayLife is how long the bytes of a day are kept.
	dayLife = 48 * time.Hour
)

func (s *Service) key(name string) string     { return s.options.Prefix + "{0}:" + name }
func (s *Service) blobKey(hash string) string { return s.key("blob:" + hash) }
func (s *Service) bytesKey() string           { return s.key("files:bytes") }
func (s *Service) journalKey() string         { return s.key("files:uploads") }
func (s *Service) reservedKeys(e *entry) []string {
	return []string{s.bytesKey(), s.key("files:day:" + e.Day), s.journalKey()}
}

// entry is an entry of the journal.
type entry struct {
	id     string
	Room   string    `json:"room"`
	Began  time.Time `json:"began"`
	Size   int64     `json:"size"`             // reserved
	Day    string    `json:"day"`              // for whom, and when: "<user>:<date>"
	Hashes []string  `json:"hashes,omitempty"` // the objects to which the file refers
}

func (e *entry) encode() string {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // unreachable: all fields can be encoded
	}
	return string(text)
}

// asStorageError returns an error of Redis as one of package streams.
func asStorageError(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case conns.IsReply(err, "OOM "):
		return fmt.Errorf("%s: %w: %w", what, streams.ErrFull, err)
	}
	return fmt.Errorf("%s: %w: %w", what, streams.ErrUnavailable, err)
}

// reserve returns errTotal or errDay if the upload would exceed a quota.
func (s *Service) reserve(ctx context.Context, e *entry) error {
	status, err := reserveScript.Run(ctx, s.options.Redis.Retrying, s.reservedKeys(e),
		e.id, e.encode(), e.Size, s.options.MaxTotal, s.options.MaxDay, int(dayLife.Seconds())).Text()
	if err != nil {
		return asStorageError("reserve an upload", err)
	}
	switch status {
	case "total":
		return errTotal
	case "day":
		return errDay
	}
	return nil
}

// record replaces the entry in the journal.
func (s *Service) record(ctx context.Context, e *entry) error {
	return asStorageError("record an upload", s.options.Redis.Retrying.HSet(ctx, s.journalKey(), e.id, e.encode()).Err())
}

// settle ends the upload. all is by how much the bytes of all objects change, and back is what the user may upload again.
func (s *Service) settle(ctx context.Context, e *entry, all, back int64) error {
	return asStorageError("settle an upload", settleScript.Run(ctx, s.options.Redis.Retrying, s.reservedKeys(e), e.id, all, back).Err())
}

// journal returns the uploads that have not ended.
func (s *Service) journal(ctx context.Context) (entries []*entry, err error) {
	all, err := s.options.Redis.Retrying.HGetAll(ctx, s.journalKey()).Result()
	for id, text := range all {
		e := &entry{id: id}
		if json.Unmarshal([]byte(text), e) == nil { // a later release may have other entries
			entries = append(entries, e)
		}
	}
	return entries, asStorageError("read the journal of uploads", err)
}

// errRemoving means that the object is being removed.
var errRemoving = errors.New("the object is being removed")

// refer adds a reference, and returns how many others there are, or errRemoving.
func (s *Service) refer(ctx context.Context, hash, id string) (others int, err error) {
	others, err = referScript.Run(ctx, s.options.Redis.Retrying, []string{s.blobKey(hash)}, id, s.markLife.Milliseconds()).Int()
	if err == nil && others < 0 {
		return 0, errRemoving
	}
	return others, asStorageError("refer to an object", err)
}

// remove removes a file's reference to an object, and the object with the last one. Without an ID, it removes the object
// if there are no references. counts reports whether the object is part of the bytes of all objects.
func (s *Service) remove(ctx context.Context, hash, id string, counts bool) error {
	ctx, cancel := context.WithTimeout(ctx, removalTimeout)
	defer cancel()
	began := time.Now()
	reply, err := unreferScript.Run(ctx, s.options.Redis.Retrying, []string{s.blobKey(hash)}, id, rand.Text(), s.markLife.Milliseconds()).StringSlice()
	switch {
	case err != nil:
		return asStorageError("remove a reference", err)
	case reply[0] == "busy":
		return errRemoving
	case reply[0] == "kept":
		return nil
	}
	if err := s.step("marked"); err != nil {
		return err
	}
	size, err := s.sizeOf(ctx, hash)
	if err != nil {
		return err
	}
	if time.Since(began) > removalTimeout { // the context ends a little later in a process that was stopped
		return context.DeadlineExceeded
	}
	if err := s.options.Store.Delete(ctx, hash); err != nil {
		return err
	}
	if err := s.step("deleted"); err != nil {
		return err
	}
	s.removed.Add(1)
	if !counts {
		size = 0
	}
	err = removedScript.Run(ctx, s.options.Redis.Retrying, []string{s.blobKey(hash), s.bytesKey()}, reply[1], size).Err()
	return asStorageError("remove a reference", err)
}
