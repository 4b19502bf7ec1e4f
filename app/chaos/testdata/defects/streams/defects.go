// Package streams contains this additional file in servers with defects, which chaos must detect.
// defects_test.go adds it to the build.
package streams

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// defects lists the names of the defects of this process.
var defects = strings.Split(os.Getenv("BURBLE_DEFECT"), ",")

// isBroken reports whether the process has the defect. If the name does not start with no_, it returns
// true only one time in eight.
func isBroken(defect string) bool {
	if !slices.Contains(defects, defect) {
		return false
	}
	return strings.HasPrefix(defect, "no_") || rand.IntN(8) == 0
}

// latest is the last entry that was published, in any room.
var latest struct {
	sync.Mutex
	room  string
	entry Entry
}

// withDefects returns the entries with the effects of the defects.
func withDefects(room string, entries []Entry) []Entry {
	latest.Lock()
	defer latest.Unlock()
	broken := slices.Clone(entries)
	last := len(broken) - 1
	switch {
	case isBroken("drop"):
		broken = broken[:last]
	case isBroken("twice"):
		broken = append(broken, broken[last])
	case isBroken("swap") && last > 0:
		broken[0], broken[last] = broken[last], broken[0]
	case isBroken("fork"):
		broken[last].Text += "?"
	case isBroken("leak") && latest.room != "" && latest.room != room:
		broken = append([]Entry{latest.entry}, broken...)
	}
	latest.room, latest.entry = room, entries[last]
	return broken
}

// knownMembers is a cache of members, by room and user, for the defects no_lookup and no_order.
var knownMembers = struct {
	sync.Mutex
	all map[string]knownMember
}{all: make(map[string]knownMember)}

type knownMember struct {
	Member
	until time.Time
}

// findKnownMember returns the member from the cache, unless it has expired.
func findKnownMember(granted grant) (Member, bool) {
	knownMembers.Lock()
	defer knownMembers.Unlock()
	found, ok := knownMembers.all[granted.room+granted.user.ID]
	return found.Member, ok && time.Now().Before(found.until)
}

// checkAndKeepMember returns what checkMember returns. With either defect, it also caches the member for 3 s, so that the
// process does not look it up when it reads entries. With no_order, it then waits up to a second, so that the member is
// often removed before the process reads the entries.
func (s *Store) checkAndKeepMember(ctx context.Context, granted grant, value *redis.StringCmd) error {
	err := checkMember(value)
	if err != nil || !isBroken("no_lookup") && !isBroken("no_order") {
		return err
	}
	member, err := parseMember(granted.user.ID, value.Val())
	if err != nil {
		return err
	}
	knownMembers.Lock()
	knownMembers.all[granted.room+granted.user.ID] = knownMember{member, time.Now().Add(3 * time.Second)}
	knownMembers.Unlock()
	if isBroken("no_order") {
		s.awaitRemoval(ctx, granted)
	}
	return nil
}

// awaitRemoval waits up to a second for the removal of the member, and then 200 ms for other users to write.
func (s *Store) awaitRemoval(ctx context.Context, granted grant) {
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		value, err := conns.Do(ctx, s.redis, 1, func(pipe redis.Pipeliner) *redis.StringCmd { return s.queryMember(ctx, pipe, granted) })
		if err == nil && !isMember(value.Val()) {
			time.Sleep(200 * time.Millisecond)
			return
		}
	}
}

// lookUpUnlessKnown returns the reader's member from the cache, or else looks it up.
func (r *Reader) lookUpUnlessKnown(ctx context.Context, end Cursor) (Member, error) {
	if member, ok := findKnownMember(r.granted); ok {
		return member, nil
	}
	return r.lookUpMember(ctx, end)
}
