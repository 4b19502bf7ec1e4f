package streams

import (
	"context"
	"slices"
	"sort"

	"github.com/redis/go-redis/v9"
)

// maxFirstView limits the entries in a window's first view. The activity stream lists no more than that.
const maxFirstView = activityLength

// readFirstView reads a window's first view. The view starts where the room ended when the window was
// created, so that it has every entry stored since the first reader called Follow.
//
// Only the activity stream of the room's bucket shows which entries these are. The view may also have a
// few earlier entries that the tail had not read when the window was created.
func (s *Store) readFirstView(ctx context.Context, w *window) (*view, error) {
	for count := 0; ; {
		known, lastRead := s.activitySince(w)
		var activity *redis.XMessageSliceCmd
		found, entries, err := s.fetchNewest(ctx, w.room, count+1, ID{}, func(pipe redis.Pipeliner) {
			// Read the activity after the entries, so that it lists all of them.
			activity = pipe.XRangeN(ctx, s.keys.activity(bucketOf(w.room)), "("+lastRead, "+", activityLength)
		})
		if err == nil {
			err = wrap(activity.Err())
		}
		if err != nil {
			return nil, err
		}
		stored := w.storedSince(known, activity.Val(), found.epoch)
		first := sort.Search(len(entries), func(i int) bool { return len(stored) > 0 && !entries[i].ID.Before(stored[0]) })
		if first == 0 && len(entries) > count { // the entry before the first one is unknown
			if count < maxFirstView {
				count = min(max(2*count, len(stored)+8), maxFirstView) // leave room for entries stored before the next read
				continue
			}
			first = 1
		}
		return newFirstView(w.room, found, entries, first), nil
	}
}

// activitySince returns the room's entries that the tail has found in the activity stream since the window
// was created, and the ID of the last activity that the tail has read. If the tail has skipped activity
// since then, it returns no entries, and the ID of the last activity read when the window was created.
func (s *Store) activitySince(w *window) (stored []Cursor, lastRead string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lastRead, skips := s.tailOf(w.room).activityPosition(s.keys.activity(bucketOf(w.room)))
	if skips != w.skips {
		return nil, w.activityRead
	}
	return slices.Clone(w.stored), lastRead
}

// storedSince returns the IDs of the room's entries that were stored since the window was created, in stream
// order. It finds them in stored and in the activity.
func (w *window) storedSince(stored []Cursor, activity []redis.XMessage, epoch string) (ids []ID) {
	for _, message := range activity {
		if cursor, ok := parseActivity(message); ok && message.Values["room"] == w.room {
			stored = append(stored, cursor)
		}
	}
	for _, cursor := range stored {
		if cursor.Epoch == epoch && (w.lastStored.Epoch != epoch || w.lastStored.ID.Before(cursor.ID)) {
			ids = append(ids, cursor.ID)
		}
	}
	return ids
}

// newFirstView returns a view of entries[first:]. The earlier entries only determine where the view
// starts.
func newFirstView(room string, found *roomInfo, entries []Entry, first int) *view {
	if len(entries) == 0 {
		return emptyView(found)
	}
	v := &view{generation: generations.Add(1), start: found.beforeFirst(), end: Cursor{entries[len(entries)-1].ID, found.epoch}}
	if first > 0 {
		v.start.ID = entries[first-1].ID
	}
	for i := range entries {
		v.lastNumber = max(v.lastNumber, entries[i].Number)
	}
	if first < len(entries) {
		v.batches = splitBatches(room, v.start, v.end, entries[first:])
		for _, batch := range v.batches {
			v.bytes += batch.size()
		}
	}
	return v
}
