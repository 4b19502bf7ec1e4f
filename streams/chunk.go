package streams

import (
	"cmp"
	"context"
	"slices"
)

// A chunk is what one read of Redis returned to every reader with the same query.
type chunk struct {
	state     State
	epoch     string
	first     Cursor // before the batch; if Truncated, before the first entry still kept
	batch     *Batch // nil if nothing was to be read
	nextLimit int64  // about how many entries make the next batch
}

// chunkAfter checks the cursor, and reads from it up to the start of the view.
func (s *Store) chunkAfter(ctx context.Context, of grant, seen *view, cursor Cursor, limit int64) (*chunk, error) {
	room := of.room
	if limit == 0 {
		limit = maxBatchEntries
	}
	if !cursor.ID.Before(seen.start.ID) {
		limit = 0
	}
	key := readKey{room: room, epoch: seen.upto.Epoch, generation: seen.generation, cursor: cursor, limit: limit}
	if limit == 0 {
		key.upto = seen.upto.ID // the answer holds for this end alone
	}
	return s.sharedReads.do(ctx, key, func(ctx context.Context) (*chunk, error) {
		found, err := s.readInfo(ctx, room, cursor.ID, seen.start.ID.String(), limit, seen.upto.ID)
		if err == nil {
			err = s.checkContinues(room, seen, found)
		}
		if err != nil {
			return nil, err
		}
		answer := &chunk{state: found.stateAt(cursor), epoch: found.epoch, first: found.beforeFirst()}
		if answer.state != Resumed || limit == 0 {
			return answer, nil
		}
		upto := Cursor{seen.start.ID, found.epoch}
		if found.more {
			upto.ID = found.entries[len(found.entries)-1].ID
		}
		batches := splitBatches(room, Cursor{cursor.ID, found.epoch}, upto, found.entries)
		answer.batch, answer.nextLimit = batches[0], min(2*limit, maxBatchEntries)
		if len(batches) > 1 { // the entries are long; the other batches are discarded
			answer.nextLimit = int64(len(batches[0].Entries)) + 1
		}
		return answer, nil
	})
}

// chunkNewest reads the newest count entries.
func (s *Store) chunkNewest(ctx context.Context, of grant, seen *view, count int) (*chunk, error) {
	room := of.room
	key := readKey{room: room, epoch: seen.upto.Epoch, generation: seen.generation, newest: true, limit: int64(count)}
	return s.sharedReads.do(ctx, key, func(ctx context.Context) (*chunk, error) {
		found, entries, err := s.fetchNewest(ctx, room, count+1, seen.upto.ID)
		if err == nil {
			err = s.checkContinues(room, seen, found)
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
		answer := &chunk{epoch: found.epoch, first: first}
		if len(entries) > 0 {
			upto := Cursor{entries[len(entries)-1].ID, found.epoch}
			answer.batch = splitBatches(room, first, upto, entries)[0]
		}
		return answer, nil
	})
}

// fetchNewest reads the newest count entries, oldest first, and the room's info. If the
// room has no more than these, it first records a trim by another program.
func (s *Store) fetchNewest(ctx context.Context, room string, count int, windowEnd ID) (*roomInfo, []Entry, error) {
	for {
		pipe := s.redis.Retrying.Pipeline()
		before := pipe.HGet(ctx, s.keys.meta(room), "epoch")
		newest := pipe.XRevRangeN(ctx, s.keys.room(room), "+", "-", int64(count))
		query := s.queryInfo(ctx, pipe, room, ID{}, "+", 0, windowEnd)
		pipe.Exec(ctx)
		found, err := query.result()
		if err == nil {
			err = wrap(newest.Err())
		}
		if err != nil || !found.exists {
			return found, nil, err
		}
		again := cmp.Or(before.Val(), noEpoch) != found.epoch // a new history began between the commands
		if !again && len(newest.Val()) < count {
			again, err = s.detectTrim(ctx, room, found)
		}
		if err != nil || !again {
			entries := parseEntries(newest.Val())
			slices.Reverse(entries)
			return found, entries, err
		}
	}
}
