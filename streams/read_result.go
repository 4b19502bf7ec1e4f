package streams

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// readResult is the result of one read from Redis, shared by all readers with the same query.
type readResult struct {
	state     State
	epoch     string
	end       Cursor // the room's end
	endNumber int64  // number of the entry at end
	first     Cursor // just before the room's first entry that is still kept, or just before the batch
	batch     *Batch // nil if the read only checked the cursor, or found no entries
	nextLimit int64  // how many entries the next read needs to fill about one batch
}

// sharedReadAfter checks the cursor, and reads the entries between the cursor and the start of the view.
// It reads at most limit entries, or maxBatchEntries if limit is 0.
func (s *Store) sharedReadAfter(ctx context.Context, granted grant, current *view, cursor Cursor, limit int64) (*readResult, error) {
	room := granted.room
	if limit == 0 {
		limit = maxBatchEntries
	}
	if !cursor.ID.Before(current.start.ID) {
		limit = 0
	}
	key := readKey{room: room, epoch: current.end.Epoch, generation: current.generation, cursor: cursor, limit: limit}
	if limit == 0 {
		key.upto = current.end.ID // the result is correct only for this end
	}
	return s.sharedReads.do(ctx, key, func(ctx context.Context) (*readResult, error) {
		found, err := s.readInfo(ctx, room, cursor.ID, current.start.ID.String(), limit, current.end.ID)
		if err == nil {
			err = s.checkContinues(room, current, found)
		}
		if err != nil {
			return nil, err
		}
		result := &readResult{state: found.stateAt(cursor), epoch: found.epoch, end: found.end(), endNumber: found.lastNumber, first: found.beforeFirst()}
		if result.state != Resumed || limit == 0 {
			return result, nil
		}
		upto := Cursor{current.start.ID, found.epoch}
		if found.hasMore {
			upto.ID = found.entries[len(found.entries)-1].ID
		}
		batches := splitBatches(room, Cursor{cursor.ID, found.epoch}, upto, found.entries)
		result.batch, result.nextLimit = batches[0], min(2*limit, maxBatchEntries)
		if len(batches) > 1 { // the entries are long, so only the first batch is used
			result.nextLimit = int64(len(batches[0].Entries)) + 1
		}
		return result, nil
	})
}

// sharedReadNewest reads the newest count entries.
func (s *Store) sharedReadNewest(ctx context.Context, granted grant, current *view, count int) (*readResult, error) {
	room := granted.room
	key := readKey{room: room, epoch: current.end.Epoch, generation: current.generation, newest: true, limit: int64(count)}
	return s.sharedReads.do(ctx, key, func(ctx context.Context) (*readResult, error) {
		found, entries, err := s.fetchNewest(ctx, room, count+1, current.end.ID, nil)
		if err == nil {
			err = s.checkContinues(room, current, found)
		}
		if err != nil {
			return nil, err
		}
		first := found.beforeFirst()
		if len(entries) > count {
			first.ID = entries[0].ID
			entries = entries[1:]
		}
		for len(entries) > 0 && !first.ID.Before(entries[0].ID) {
			entries = entries[1:] // trimmed after it was read
		}
		result := &readResult{epoch: found.epoch, end: found.end(), endNumber: found.lastNumber, first: first}
		if len(entries) > 0 {
			upto := Cursor{entries[len(entries)-1].ID, found.epoch}
			result.batch = splitBatches(room, first, upto, entries)[0]
		}
		return result, nil
	})
}

// fetchNewest returns the room's info and its newest count entries, oldest first. If the room has fewer
// entries, fetchNewest checks whether another program has trimmed the stream. If more is not nil, it is
// called to add commands to the end of the pipeline.
func (s *Store) fetchNewest(ctx context.Context, room string, count int, windowEnd ID, more func(redis.Pipeliner)) (*roomInfo, []Entry, error) {
	for {
		var before *redis.StringCmd
		var newest *redis.XMessageSliceCmd
		var query *infoQuery
		err := s.redis.Pipeline(ctx, 2+count/50, func(pipe redis.Pipeliner) {
			before = pipe.HGet(ctx, s.keys.meta(room), "epoch")
			newest = pipe.XRevRangeN(ctx, s.keys.room(room), "+", "-", int64(count))
			query = s.queryInfo(ctx, pipe, room, ID{}, "+", 0, windowEnd)
			if more != nil {
				more(pipe)
			}
		})
		if err != nil {
			return nil, nil, fmt.Errorf("read room %q: %w", room, wrap(err))
		}
		found, err := query.result()
		if err == nil {
			err = wrap(newest.Err())
		}
		if err != nil || !found.exists {
			return found, nil, err
		}
		again := cmp.Or(before.Val(), noEpoch) != found.epoch // a new history began between the commands
		if !again && len(newest.Val()) < count && found.mayLackAfter(ID{}) {
			again, err = s.detectTrim(ctx, room, found)
		}
		if err != nil || !again {
			entries := parseEntries(newest.Val())
			slices.Reverse(entries)
			return found, entries, err
		}
	}
}
