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

// luaFunctions defines two functions for the scripts. clock() returns the time in ms by Redis's clock. mark_age(key)
// returns the age in ms and the token of the mark in a set of references, or nil if the object is not being removed.
const luaFunctions = `
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
	// reserveScript reserves bytes for an upload, and sets its entry in the journal: the time in ms at which the upload
	// began, a space, and JSON.
	//
	// KEYS  1 bytes  2 day  3 journal
	// ARGV  1 file ID  2 JSON of the entry  3 how many more bytes to reserve; may be 0
	//       4 limit of bytes, or 0  5 limit of day, or 0  6 time to live of day in s
	// Reply 'ok', or the limit that the upload would exceed: 'total' or 'day'
	reserveScript = redis.NewScript(luaFunctions + `
		local before = redis.call('HGET', KEYS[3], ARGV[1])
		local entry = (before and string.match(before, '^%d+') or string.format('%.0f', clock())) .. ' ' .. ARGV[2]
		if before == entry then return 'ok' end
		local size, total, day = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
		if size > 0 then
			if total > 0 and tonumber(redis.call('GET', KEYS[1]) or '0') + size > total then return 'total' end
			if day > 0 and tonumber(redis.call('GET', KEYS[2]) or '0') + size > day then return 'day' end
			redis.call('INCRBY', KEYS[1], ARGV[3])
			redis.call('INCRBY', KEYS[2], ARGV[3])
			redis.call('EXPIRE', KEYS[2], ARGV[6])
		end
		redis.call('HSET', KEYS[3], ARGV[1], entry)
		return 'ok'`)

	// settleScript removes an upload from the journal, releases its reservation, and counts those of its objects that are
	// not counted yet.
	//
	// KEYS  1 bytes  2 day  3 journal  4 sizes  5, ... references of the objects
	// ARGV  1 file ID  2 '1' to release the bytes of the day too, else ''  3, 4, ... hash and size of each object
	settleScript = redis.NewScript(`
		local entry = redis.call('HGET', KEYS[3], ARGV[1])
		if not entry then return 0 end
		redis.call('HDEL', KEYS[3], ARGV[1])
		local reserved = string.format('%.0f', cjson.decode(string.match(entry, '^%d+ (.*)$')).size)
		redis.call('DECRBY', KEYS[1], reserved)
		if ARGV[2] == '1' and redis.call('EXISTS', KEYS[2]) == 1 then redis.call('DECRBY', KEYS[2], reserved) end
		for i = 5, #KEYS do
			local hash, size = ARGV[2 * i - 7], ARGV[2 * i - 6]
			-- The file may have been removed already, and its object with it.
			if redis.call('SISMEMBER', KEYS[i], ARGV[1]) == 1 and redis.call('HEXISTS', KEYS[4], hash) == 0 then
				redis.call('HSET', KEYS[4], hash, size)
				redis.call('INCRBY', KEYS[1], size)
			end
		end
		return 1`)

	// endedScript finds uploads that must have ended.
	//
	// KEYS  1 journal
	// ARGV  1 minimum age in ms
	// Reply {file ID, JSON of its entry, ...}
	endedScript = redis.NewScript(luaFunctions + `
		local all, ended = redis.call('HGETALL', KEYS[1]), {}
		for i = 1, #all, 2 do
			local began, json = string.match(all[i + 1], '^(%d+) (.*)$')
			if began and clock() - began >= tonumber(ARGV[1]) then
				table.insert(ended, all[i])
				table.insert(ended, json)
			end
		end
		return ended`)

	// addReferenceScript adds a reference to an object.
	//
	// KEYS  1 references
	// ARGV  1 file ID  2 lifetime of a mark in ms
	// Reply the number of other references, or -1 if the object is being removed
	addReferenceScript = redis.NewScript(luaFunctions + `
		local age = mark_age(KEYS[1])
		if age and age < tonumber(ARGV[2]) then return -1 end
		if age then redis.call('DEL', KEYS[1]) end
		redis.call('SADD', KEYS[1], ARGV[1])
		return redis.call('SCARD', KEYS[1]) - 1`)

	// removeReferenceScript removes a reference to an object. If that was the last one, it marks the object, so that
	// only the caller may remove it.
	//
	// KEYS  1 references
	// ARGV  1 file ID, or '' for none  2 token  3 lifetime of a mark in ms
	// Reply {'kept'}, {'busy'} if another caller is removing the object, or {'marked', mark}
	removeReferenceScript = redis.NewScript(luaFunctions + `
		redis.call('SREM', KEYS[1], ARGV[1])
		local age, token = mark_age(KEYS[1])
		if age and token ~= ARGV[2] and age < tonumber(ARGV[3]) then return {'busy'} end
		if age then redis.call('DEL', KEYS[1]) end
		if redis.call('SCARD', KEYS[1]) > 0 then return {'kept'} end
		local mark = string.format('-%.0f:%s', clock(), ARGV[2])
		redis.call('SADD', KEYS[1], mark)
		return {'marked', mark}`)

	// unmarkScript removes the mark and the size of an object that the caller has removed.
	//
	// KEYS  1 references  2 bytes  3 sizes
	// ARGV  1 mark  2 hash
	unmarkScript = redis.NewScript(`
		if redis.call('SREM', KEYS[1], ARGV[1]) == 0 then return 0 end
		local size = redis.call('HGET', KEYS[3], ARGV[2])
		if not size then return 0 end
		redis.call('HDEL', KEYS[3], ARGV[2])
		redis.call('DECRBY', KEYS[2], size)
		return 1`)

	// countScript adds objects that have references to the total, unless it includes them.
	//
	// KEYS  1 bytes  2 sizes  3, ... references of the objects
	// ARGV  1, 2, ... hash and size of each object
	countScript = redis.NewScript(`
		for i = 3, #KEYS do
			local hash, size = ARGV[2 * i - 5], ARGV[2 * i - 4]
			if redis.call('HEXISTS', KEYS[2], hash) == 0 and redis.call('SCARD', KEYS[i]) > 0 then
				redis.call('HSET', KEYS[2], hash, size)
				redis.call('INCRBY', KEYS[1], size)
			end
		end`)

	// correctScript computes the total again, in case another program has changed it. If there are too many objects, it
	// does nothing.
	//
	// KEYS  1 bytes  2 sizes  3 journal
	// ARGV  1 maximum number of objects
	correctScript = redis.NewScript(`
		if redis.call('HLEN', KEYS[2]) > tonumber(ARGV[1]) then return end
		local bytes = 0
		for _, size in ipairs(redis.call('HVALS', KEYS[2])) do bytes = bytes + size end
		for _, entry in ipairs(redis.call('HVALS', KEYS[3])) do
			bytes = bytes + cjson.decode(string.match(entry, '^%d+ (.*)$')).size
		end
		redis.call('SET', KEYS[1], string.format('%.0f', bytes))`)
)

const (
	// markLifetime is the age at which a mark is ignored, because its server must have died. Another server may then remove the
	// object, or an upload may store it again.
	markLifetime = time.Minute
	// removalTimeout is how long a server may take to remove an object that it has marked. It is much less than markLifetime.
	// Otherwise, a slow server could remove an object that was removed by another one and stored again.
	removalTimeout = 10 * time.Second
	// dayLifetime is how long the count of a day is kept.
	dayLifetime = 48 * time.Hour
)

func (s *Service) key(name string) string     { return s.options.Prefix + "{0}:" + name }
func (s *Service) blobKey(hash string) string { return s.key("blob:" + hash) }
func (s *Service) bytesKey() string           { return s.key("files:bytes") }
func (s *Service) journalKey() string         { return s.key("files:uploads") }
func (s *Service) sizesKey() string           { return s.key("files:sizes") }
func (s *Service) reservedKeys(e *entry) []string {
	return []string{s.bytesKey(), s.key("files:day:" + e.Day), s.journalKey()}
}

// entry is an entry of the journal.
type entry struct {
	id     string
	Room   string   `json:"room"`
	Size   int64    `json:"size"`             // reserved
	Day    string   `json:"day"`              // whose quota, and when: "<user>:<date>"
	Hashes []string `json:"hashes,omitempty"` // of the file's objects
	Sizes  []int64  `json:"sizes,omitempty"`  // of the file's objects
}

func (e *entry) encode() string {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // unreachable: all fields can be encoded
	}
	return string(text)
}

// asRedisError wraps an error from Redis in streams.ErrFull or streams.ErrUnavailable.
func asRedisError(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case conns.IsFull(err):
		return fmt.Errorf("%s: %w: %w", what, streams.ErrFull, err)
	}
	return fmt.Errorf("%s: %w: %w", what, streams.ErrUnavailable, err)
}

// reserve reserves more bytes for the upload, and sets its entry in the journal. It returns errTotal or errDay if the
// upload would exceed a quota.
func (s *Service) reserve(ctx context.Context, e *entry, more int64) error {
	next := *e
	next.Size += more
	status, err := reserveScript.Run(ctx, s.options.Redis.Retrying, s.reservedKeys(e),
		e.id, next.encode(), more, s.options.MaxTotal, s.options.MaxDay, int(dayLifetime.Seconds())).Text()
	if err != nil {
		return asRedisError("reserve an upload", err)
	}
	switch status {
	case "total":
		return errTotal
	case "day":
		return errDay
	}
	*e = next
	return nil
}

// settle removes the upload from the journal, and releases its reservation. If the upload succeeded, its objects count
// toward the total from now on, unless they already do for another file. Otherwise, settle also restores the user's
// daily quota.
func (s *Service) settle(ctx context.Context, e *entry, successful bool) error {
	keys, args := append(s.reservedKeys(e), s.sizesKey()), []any{e.id, "1"}
	if successful {
		args[1] = ""
		for i, hash := range e.Hashes {
			keys, args = append(keys, s.blobKey(hash)), append(args, hash, e.Sizes[i])
		}
	}
	return asRedisError("settle an upload", settleScript.Run(ctx, s.options.Redis.Retrying, keys, args...).Err())
}

// endedUploads returns the uploads in the journal that must have ended.
func (s *Service) endedUploads(ctx context.Context) (entries []*entry, err error) {
	ended, err := endedScript.Run(ctx, s.options.Redis.Retrying, []string{s.journalKey()}, s.journalLifetime.Milliseconds()).StringSlice()
	for i := 0; i+1 < len(ended); i += 2 {
		e := &entry{id: ended[i]}
		if json.Unmarshal([]byte(ended[i+1]), e) == nil && len(e.Sizes) == len(e.Hashes) { // another release may write other entries
			entries = append(entries, e)
		}
	}
	return entries, asRedisError("read the journal of uploads", err)
}

// errRemoving means that the object is being removed.
var errRemoving = errors.New("the object is being removed")

// addReference adds a file's reference to an object, and returns the number of other references, or errRemoving.
func (s *Service) addReference(ctx context.Context, hash, id string) (others int, err error) {
	others, err = addReferenceScript.Run(ctx, s.options.Redis.Retrying, []string{s.blobKey(hash)}, id, s.markLifetime.Milliseconds()).Int()
	if err == nil && others < 0 {
		return 0, errRemoving
	}
	return others, asRedisError("add a reference", err)
}

// removeReference removes a file's reference to an object, and the object if that was the last reference. With an empty
// ID, it removes the object if there are no references.
func (s *Service) removeReference(ctx context.Context, hash, id string) error {
	ctx, cancel := context.WithTimeout(ctx, removalTimeout)
	defer cancel()
	began := time.Now()
	reply, err := removeReferenceScript.Run(ctx, s.options.Redis.Retrying, []string{s.blobKey(hash)}, id, rand.Text(), s.markLifetime.Milliseconds()).StringSlice()
	switch {
	case err != nil:
		return asRedisError("remove a reference", err)
	case reply[0] == "busy":
		return errRemoving
	case reply[0] == "kept":
		return nil
	}
	if err := s.step("marked"); err != nil {
		return err
	}
	if time.Since(began) > removalTimeout { // in a process that was suspended, the context may end late
		return context.DeadlineExceeded
	}
	if err := s.options.Store.Delete(ctx, hash); err != nil {
		return err
	}
	if err := s.step("deleted"); err != nil {
		return err
	}
	s.removed.Add(1)
	err = unmarkScript.Run(ctx, s.options.Redis.Retrying, []string{s.blobKey(hash), s.bytesKey(), s.sizesKey()}, reply[1], hash).Err()
	return asRedisError("unmark an object", err)
}
