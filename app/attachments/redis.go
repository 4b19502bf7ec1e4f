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
	// reserveScript reserves bytes for an upload, and sets its entry in the journal: the time in ms at which the upload
	// began, a space, and JSON.
	//
	// KEYS  1 bytes  2 day  3 journal
	// ARGV  1 file ID  2 JSON of the entry  3 how many bytes to reserve besides those that are; may be 0
	//       4 limit of all bytes, or 0  5 limit of the day, or 0  6 life of the day in s
	// Reply 'ok', or the limit that it would exceed: 'total' or 'day'
	reserveScript = redis.NewScript(markAge + `
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

	// settleScript ends the entry of an upload in the journal: it gives back what is reserved, and counts the objects of
	// the file that are not counted yet.
	//
	// KEYS  1 bytes  2 day  3 journal  4 sizes  5, ... references of the objects
	// ARGV  1 file ID  2 '1' to give the bytes back to the user too, else ''  3, 4, ... hash and size of each object
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
	// ARGV  1 how long ago they began at least, in ms
	// Reply {file ID, JSON of its entry, ...}
	endedScript = redis.NewScript(markAge + `
		local all, ended = redis.call('HGETALL', KEYS[1]), {}
		for i = 1, #all, 2 do
			local began, json = string.match(all[i + 1], '^(%d+) (.*)$')
			if began and clock() - began >= tonumber(ARGV[1]) then
				table.insert(ended, all[i])
				table.insert(ended, json)
			end
		end
		return ended`)

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
	// KEYS  1 references  2 bytes  3 sizes
	// ARGV  1 mark  2 hash
	removedScript = redis.NewScript(`
		if redis.call('SREM', KEYS[1], ARGV[1]) == 0 then return 0 end
		local size = redis.call('HGET', KEYS[3], ARGV[2])
		if not size then return 0 end
		redis.call('HDEL', KEYS[3], ARGV[2])
		redis.call('DECRBY', KEYS[2], size)
		return 1`)

	// countScript counts objects that have references and are not counted yet.
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

	// correctScript adds up the bytes again, in case another program has changed them. It does not if that would take
	// long.
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
func (s *Service) sizesKey() string           { return s.key("files:sizes") }
func (s *Service) reservedKeys(e *entry) []string {
	return []string{s.bytesKey(), s.key("files:day:" + e.Day), s.journalKey()}
}

// entry is an entry of the journal.
type entry struct {
	id     string
	Room   string   `json:"room"`
	Size   int64    `json:"size"`             // reserved
	Day    string   `json:"day"`              // for whom, and when: "<user>:<date>"
	Hashes []string `json:"hashes,omitempty"` // the objects to which the file refers
	Sizes  []int64  `json:"sizes,omitempty"`  // theirs
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

// reserve reserves more bytes for the upload, and sets its entry in the journal. It returns errTotal or errDay if the
// upload would exceed a quota.
func (s *Service) reserve(ctx context.Context, e *entry, more int64) error {
	next := *e
	next.Size += more
	status, err := reserveScript.Run(ctx, s.options.Redis.Retrying, s.reservedKeys(e),
		e.id, next.encode(), more, s.options.MaxTotal, s.options.MaxDay, int(dayLife.Seconds())).Text()
	if err != nil {
		return asStorageError("reserve an upload", err)
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

// settle ends the upload. If it was successful, its objects count from now on, unless they do already for another file.
// Otherwise, the user may upload as much again.
func (s *Service) settle(ctx context.Context, e *entry, successful bool) error {
	keys, args := append(s.reservedKeys(e), s.sizesKey()), []any{e.id, "1"}
	if successful {
		args[1] = ""
		for i, hash := range e.Hashes {
			keys, args = append(keys, s.blobKey(hash)), append(args, hash, e.Sizes[i])
		}
	}
	return asStorageError("settle an upload", settleScript.Run(ctx, s.options.Redis.Retrying, keys, args...).Err())
}

// endedUploads returns the uploads in the journal that must have ended.
func (s *Service) endedUploads(ctx context.Context) (entries []*entry, err error) {
	ended, err := endedScript.Run(ctx, s.options.Redis.Retrying, []string{s.journalKey()}, s.journalLife.Milliseconds()).StringSlice()
	for i := 0; i+1 < len(ended); i += 2 {
		e := &entry{id: ended[i]}
		if json.Unmarshal([]byte(ended[i+1]), e) == nil && len(e.Sizes) == len(e.Hashes) { // a later release may have other entries
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
// if there are no references.
func (s *Service) remove(ctx context.Context, hash, id string) error {
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
	err = removedScript.Run(ctx, s.options.Redis.Retrying, []string{s.blobKey(hash), s.bytesKey(), s.sizesKey()}, reply[1], hash).Err()
	return asStorageError("remove a reference", err)
}
