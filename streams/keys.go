package streams

import (
	"errors"
	"hash/fnv"
	"strconv"
	"strings"
)

// buckets is how many hash tags the rooms are spread over. It must never
// change: with another number, existing rooms would be looked up under other keys.
const buckets = 16

// ErrBadRoom is returned for a room name outside [a-z0-9][a-z0-9_-]{0,63}.
var ErrBadRoom = errors.New("not a room name: want 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit")

// CheckRoom returns ErrBadRoom unless room is a valid room name.
func CheckRoom(room string) error {
	if room == "" || len(room) > 64 || room[0] == '_' || room[0] == '-' {
		return ErrBadRoom
	}
	for _, c := range []byte(room) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return ErrBadRoom
		}
	}
	return nil
}

// bucketOf returns the bucket that a room's keys and its activity entries share.
func bucketOf(room string) int {
	hash := fnv.New32a()
	hash.Write([]byte(room))
	return int(hash.Sum32() % buckets)
}

func allBuckets() []int {
	all := make([]int, buckets)
	for i := range all {
		all[i] = i
	}
	return all
}

// keys makes the names of all Redis keys, each with the prefix. The README describes
// what they hold.
type keys struct{ prefix string }

func (k keys) bucket(bucket int) string { return k.prefix + "{" + strconv.Itoa(bucket) + "}:" }

// activity is the stream that gets an entry for each append and each signal in its bucket.
func (k keys) activity(bucket int) string { return k.bucket(bucket) + "activity" }

// rooms is the sorted set of a bucket's rooms by the time of their last entry.
func (k keys) rooms(bucket int) string { return k.bucket(bucket) + "rooms" }

// secret is the key with which all servers sign cookies and tokens.
func (k keys) secret() string { return k.bucket(0) + "secret" }

func (k keys) room(room string) string { return k.bucket(bucketOf(room)) + "room:" + room }
func (k keys) meta(room string) string { return k.room(room) + ":meta" }

// amended is the hash of messages that have changed since their entry, with their state.
func (k keys) amended(room string) string { return k.room(room) + ":amended" }

// erased is the sorted set of IDs whose entries a deletion removed.
func (k keys) erased(room string) string { return k.room(room) + ":erased" }

// runs is the stream of messages that follow many entries of other kinds, see page.lua.
func (k keys) runs(room string) string { return k.room(room) + ":runs" }

// history returns the five keys that hold a room's history, the first KEYS of most scripts.
func (k keys) history(room string) []string {
	return []string{k.room(room), k.meta(room), k.amended(room), k.erased(room), k.runs(room)}
}

// servers is the sorted set of servers with people, by the time from which they count as dead.
func (k keys) servers() string { return k.bucket(0) + "servers" }

// serverRooms is the set of rooms in which people are or were present through a server.
func (k keys) serverRooms(server string) string { return k.bucket(0) + "server:" + server + ":rooms" }

// present is the hash of who is present in a room.
func (k keys) present(room string) string { return k.room(room) + ":present" }

// countSignaled is a key that exists for CountInterval after a crowd's count was signalled.
func (k keys) countSignaled(room string) string { return k.room(room) + ":told" }

// read is the hash of a user's read markers, by room.
func (k keys) read(userID string) string {
	return k.bucket(bucketOf(userID)) + "user:" + userID + ":read"
}

// sent is the entry ID stored for a send key. The hexadecimal digits of a UUID have no
// case (RFC 9562, section 4).
func (k keys) sent(room, key string) string { return k.room(room) + ":sent:" + strings.ToLower(key) }
