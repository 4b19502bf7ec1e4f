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

// memberLookups batches the lookups of a window's readers. While one lookup is in flight, the next one
// collects users, so many members who reconnect at the same time need few commands.
type memberLookups struct {
	mu        sync.Mutex
	next      *memberLookup // not in flight yet; may be nil
	isRunning bool
}

// memberLookup looks up some users of a room.
type memberLookup struct {
	users map[string]bool
	ends  map[Cursor]bool   // how far the users' readers have read
	done  chan struct{}     // closed when found and err are set
	found map[string]Member // by user; members and former members
	err   error
}

// lookUpMember looks up the reader's user among the members and former members of the room. For any other
// user, it returns a Member with NoRole and a zero Since. The lookup begins after lookUpMember is called.
// end is the end of what the reader has read.
func (r *Reader) lookUpMember(ctx context.Context, end Cursor) (Member, error) {
	l := &r.window.lookups
	l.mu.Lock()
	if l.next == nil {
		l.next = &memberLookup{users: make(map[string]bool), ends: make(map[Cursor]bool), done: make(chan struct{})}
	}
	lookup := l.next
	lookup.users[r.granted.user.ID] = true
	lookup.ends[end] = true
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
			lookup.found, err = s.lookUpMembers(ctx, w.room, slices.Collect(maps.Keys(lookup.users)), slices.Collect(maps.Keys(lookup.ends)))
			return err
		})
		close(lookup.done)
	}
}

// lookUpMembers returns the users who are or were members. It returns an error if the server that
// answers lacks the entry at one of the ends. That server may be a former primary, which does not know
// which members were removed after the failover.
func (s *Store) lookUpMembers(ctx context.Context, room string, users []string, ends []Cursor) (map[string]Member, error) {
	var values, meta *redis.SliceCmd
	queries := make([]*entryQuery, len(ends))
	err := s.redis.Pipeline(ctx, 1+len(users)/100+len(ends)/10, func(pipe redis.Pipeliner) {
		values = pipe.HMGet(ctx, s.keys.members(room), users...)
		meta = pipe.HMGet(ctx, s.keys.meta(room), metaFields...)
		for i, end := range ends {
			queries[i] = s.queryEntry(ctx, pipe, room, end.ID)
		}
	})
	if err == nil {
		err = errors.Join(values.Err(), meta.Err())
	}
	info := roomInfo{epoch: noEpoch}
	if err == nil {
		info.readMeta(meta.Val())
	}
	for i, end := range ends {
		if err == nil {
			err = queries[i].err()
		}
		if err == nil && !info.continues(end, queries[i].wasStored()) {
			s.tailOf(room).checkAllDue.Store(true)
			err = errOtherHistory
		}
	}
	if err != nil {
		return nil, wrap(err)
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

// continues reports whether the room's history includes what was read up to end. hasEnd reports whether
// the history has, or had, the entry at end. If the room has no history, it has no members either, and
// continues returns true.
func (p *roomInfo) continues(end Cursor, hasEnd bool) bool {
	switch {
	case p.epoch == noEpoch:
		return true
	case p.epoch != end.Epoch:
		return false
	}
	return hasEnd || end.ID.IsZero() || !p.trimmedUpto.Before(end.ID)
}
