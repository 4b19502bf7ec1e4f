package streams

import (
	"errors"
	"hash/fnv"
	"strconv"
	"strings"
)

// buckets is the number of hash tags that rooms are assigned to. It must never change, because the keys
// of existing rooms depend on it.
const buckets = 16

// ErrBadRoom is returned for a room name that does not match [a-z0-9][a-z0-9_-]{0,63}.
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

// bucketOf returns a room's bucket, which is the hash tag of all its keys.
func bucketOf(room string) int {
	if room == AuditRoom {
		return 0
	}
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

// keys returns the names of all Redis keys, each with the prefix. README.md describes what
// they hold.
type keys struct{ prefix string }

func (k keys) bucket(bucket int) string { return k.prefix + "{" + strconv.Itoa(bucket) + "}:" }

// activity is the stream that gets an entry for each append and each signal in its bucket.
func (k keys) activity(bucket int) string { return k.bucket(bucket) + "activity" }

// rooms is the sorted set of a bucket's rooms by the time of their last entry.
func (k keys) rooms(bucket int) string { return k.bucket(bucket) + "rooms" }

// secret holds the key that all servers use to sign cookies and tokens.
func (k keys) secret() string { return k.bucket(0) + "secret" }

// sweep exists for sweepInterval after a server has begun to sweep all rooms.
func (k keys) sweep() string { return k.bucket(0) + "sweep" }

// jobs is the hash of the states of unfinished jobs.
func (k keys) jobs() string { return k.bucket(0) + "jobs" }

func (k keys) room(room string) string {
	if room == AuditRoom {
		return k.bucket(0) + "audit"
	}
	return k.bucket(bucketOf(room)) + "room:" + room
}

func (k keys) meta(room string) string { return k.room(room) + ":meta" }

// amended is the hash with the state of each message that has edits, reactions or a deletion.
func (k keys) amended(room string) string { return k.room(room) + ":amended" }

// erased is the sorted set with the IDs of deleted messages.
func (k keys) erased(room string) string { return k.room(room) + ":erased" }

// runs is the stream that records long runs of entries that are not messages, so that pages can skip them. See page.lua.
func (k keys) runs(room string) string { return k.room(room) + ":runs" }

// erasedEdits is the sorted set with the IDs of edits whose entries were removed. They are not in
// erased, because pages look up deleted messages there.
func (k keys) erasedEdits(room string) string { return k.room(room) + ":erased_edits" }

// history returns the six keys that hold a room's history. They are the first KEYS of most
// scripts.
func (k keys) history(room string) []string {
	return []string{k.room(room), k.meta(room), k.amended(room), k.erased(room), k.runs(room), k.erasedEdits(room)}
}

// members is the hash of the members, moderators and muted users of a room. Its values are
// "<role> <ID of the entry that made them a member> <muted until, in ms>".
func (k keys) members(room string) string { return k.room(room) + ":members" }

// hidden is the sorted set of a bucket's hidden rooms, and of the AuditRoom, by the time of their last entry.
func (k keys) hidden(bucket int) string { return k.bucket(bucket) + "hidden" }

// list returns the sorted set that lists the room.
func (k keys) list(room string) string {
	if IsHidden(room) || room == AuditRoom {
		return k.hidden(bucketOf(room))
	}
	return k.rooms(bucketOf(room))
}

// userRooms is the set of a user's hidden rooms. It is only an index: the members hashes determine
// whether the user is a member.
func (k keys) userRooms(userID string) string {
	return k.bucket(bucketOf(userID)) + "user:" + userID + ":rooms"
}

// servers is the sorted set of servers, by the time at which their last heartbeat expires.
func (k keys) servers() string { return k.bucket(0) + "servers" }

// serverRooms is the set of rooms in which people are or were present through a server.
func (k keys) serverRooms(server string) string { return k.bucket(0) + "server:" + server + ":rooms" }

// present is the hash of the people who are present in a room.
func (k keys) present(room string) string { return k.room(room) + ":present" }

// countSignaled exists for CountInterval after the number of people in a crowded room was signaled.
func (k keys) countSignaled(room string) string { return k.room(room) + ":told" }

// read is the hash of a user's read markers, by room.
func (k keys) read(userID string) string {
	return k.bucket(bucketOf(userID)) + "user:" + userID + ":read"
}

// files is the sorted set of a bucket's uploaded files by the time, in ms, at which they are next due to be checked
// for references.
func (k keys) files(bucket int) string { return k.bucket(bucket) + "files" }

// file is the hash of an uploaded file. Its bucket is that of its room.
func (k keys) file(bucket int, id string) string { return k.bucket(bucket) + "file:" + id }

// sent holds the ID of the entry that was stored with an idempotency key. UUIDs are case-insensitive
// (RFC 9562, section 4).
func (k keys) sent(room, key string) string { return k.room(room) + ":sent:" + strings.ToLower(key) }
