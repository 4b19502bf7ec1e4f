package streams

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

// memberLookups merge the lookups of a window's readers. While one is in flight, the next one collects
// users. Therefore many members who reconnect together need few commands.
type memberLookups struct {
	mu        sync.Mutex
	next      *memberLookup // not in flight yet; may be nil
	isRunning bool
}

// memberLookup looks up some users of a room.
type memberLookup struct {
	users map[string]bool
	done  chan struct{}     // closed when found and err are set
	found map[string]Member // by user; members and former members
	err   error
}

// lookUpMember returns the reader's user as a member or former member of the room, or a Member with
// NoRole and a zero Since. The lookup begins after lookUpMember is called.
func (r *Reader) lookUpMember(ctx context.Context) (Member, error) {
	l := &r.window.lookups
	l.mu.Lock()
	if l.next == nil {
		l.next = &memberLookup{users: make(map[string]bool), done: make(chan struct{})}
	}
	lookup := l.next
	lookup.users[r.granted.user.ID] = true
	if !l.isRunning {
		l.isRunning = true
		r.store.sharedReads.running.Go(func() { r.store.runLookups(r.window) })
	}
	l.mu.Unlock()
	select {
	case <-lookup.done:
	case <-ctx.Done():
		return Member{}, ctx.Err()
	}
	if lookup.err != nil {
		return Member{}, fmt.Errorf("look up members of room %q: %w", r.Room, lookup.err)
	}
	if found, ok := lookup.found[r.granted.user.ID]; ok {
		return found, nil
	}
	return Member{Role: NoRole}, nil
}

// runLookups runs the window's lookups until none is left.
func (s *Store) runLookups(w *window) {
	for {
		w.lookups.mu.Lock()
		lookup := w.lookups.next
		w.lookups.next = nil
		w.lookups.isRunning = lookup != nil
		w.lookups.mu.Unlock()
		if lookup == nil {
			return
		}
		lookup.err = s.sharedReads.withSlot(s.sharedReads.ctx, func(ctx context.Context) (err error) {
			lookup.found, err = s.lookUpMembers(ctx, w.room, w.view.Load(), slices.Collect(maps.Keys(lookup.users)))
			return err
		})
		close(lookup.done)
	}
}

// lookUpMembers returns the users who are or were members. It returns an error if the server that
// answers does not have the view's end, because a former primary does not know who was removed since.
func (s *Store) lookUpMembers(ctx context.Context, room string, current *view, users []string) (map[string]Member, error) {
	var values, meta *redis.SliceCmd
	var windowEnd *entryQuery
	err := s.redis.Pipeline(ctx, 1+len(users)/100, func(pipe redis.Pipeliner) {
		values = pipe.HMGet(ctx, s.keys.members(room), users...)
		meta = pipe.HMGet(ctx, s.keys.meta(room), metaFields...)
		windowEnd = s.queryEntry(ctx, pipe, room, current.end.ID)
	})
	if err == nil {
		err = errors.Join(values.Err(), meta.Err(), windowEnd.err())
	}
	if err != nil {
		return nil, wrap(err)
	}
	info := roomInfo{epoch: noEpoch, hasWindowEnd: windowEnd.wasStored()}
	info.readMeta(meta.Val())
	if err := s.checkContinues(room, current, &info); err != nil {
		return nil, err
	}
	members := make(map[string]Member, len(users))
	for i, value := range values.Val() {
		text, ok := value.(string)
		if !ok {
			continue
		}
		member, err := parseMember(users[i], text)
		if err != nil {
			return nil, err
		}
		members[users[i]] = member
	}
	return members, nil
}
