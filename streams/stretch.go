package streams

import (
	"cmp"
	"context"
	"slices"
)

// stretch is what one read of Redis gave to every reader that asked the same.
type stretch struct {
	state State
	epoch string
	first Cursor // where the batch begins; where the history begins if it is truncated
	batch *Batch // nil: nothing was to be read
	most  int64  // entries to ask for next: about as many as make a batch
}

// stretchAfter checks the cursor and reads from it up to the window's start.
func (s *Store) stretchAfter(ctx context.Context, of grant, seen *view, cursor Cursor, most int64) (*stretch, error) {
	room := of.room
	if most == 0 {
		most = batchEntries
	}
	if !cursor.ID.Before(seen.start.ID) {
		most = 0
	}
	question := flightKey{room: room, epoch: seen.upto.Epoch, generation: seen.generation, cursor: cursor, most: most}
	if most == 0 {
		question.upto = seen.upto.ID // of what the answer is a proof
	}
	return s.flights.do(ctx, question, func(ctx context.Context) (*stretch, error) {
		found, err := s.find(ctx, room, cursor.ID, seen.start.ID.String(), most, seen.upto.ID)
		if err == nil {
			err = s.continues(room, seen, found)
		}
		if err != nil {
			return nil, err
		}
		answer := &stretch{state: found.judge(cursor), epoch: found.epoch, first: found.through()}
		if answer.state != Resumed || most == 0 {
			return answer, nil
		}
		upto := Cursor{seen.start.ID, found.epoch}
		if found.more {
			upto.ID = found.entries[len(found.entries)-1].ID
		}
		batches := cut(room, Cursor{cursor.ID, found.epoch}, upto, found.entries)
		answer.batch, answer.most = batches[0], min(2*most, batchEntries)
		if len(batches) > 1 { // the rest was read for nothing
			answer.most = int64(len(batches[0].Entries)) + 1
		}
		return answer, nil
	})
}

// stretchNewest reads the newest entries, and where they begin.
func (s *Store) stretchNewest(ctx context.Context, of grant, seen *view, last int) (*stretch, error) {
	room := of.room
	question := flightKey{room: room, epoch: seen.upto.Epoch, generation: seen.generation, newest: true, most: int64(last)}
	return s.flights.do(ctx, question, func(ctx context.Context) (*stretch, error) {
		found, entries, err := s.newest(ctx, room, last+1, seen.upto.ID)
		if err == nil {
			err = s.continues(room, seen, found)
		}
		if err != nil {
			return nil, err
		}
		first := found.through()
		if len(entries) > last {
			first.ID = entries[0].ID
			entries = entries[1:]
		}
		for len(entries) > 0 && !first.ID.Before(entries[0].ID) {
			entries = entries[1:] // trimmed since it was read
		}
		answer := &stretch{epoch: found.epoch, first: first}
		if len(entries) > 0 {
			upto := Cursor{entries[len(entries)-1].ID, found.epoch}
			answer.batch = cut(room, first, upto, entries)[0]
		}
		return answer, nil
	})
}

// newest reads so many entries from the room's end, oldest first, and what there is
// to know of their history. Where they are all there is, what went before them is known.
func (s *Store) newest(ctx context.Context, room string, count int, end ID) (*place, []Entry, error) {
	for {
		pipe := s.redis.Retrying.Pipeline()
		before := pipe.HGet(ctx, s.keys.meta(room), "epoch")
		newest := pipe.XRevRangeN(ctx, s.keys.room(room), "+", "-", int64(count))
		question := s.ask(ctx, pipe, room, ID{}, "+", 0, end)
		pipe.Exec(ctx)
		found, err := question.answer()
		if err == nil {
			err = wrap(newest.Err())
		}
		if err != nil || !found.begun {
			return found, nil, err
		}
		again := cmp.Or(before.Val(), noEpoch) != found.epoch // the room began anew in between
		if !again && len(newest.Val()) < count {
			again, err = s.noticeTrim(ctx, room, found)
		}
		if err != nil || !again {
			entries := parseEntries(newest.Val())
			slices.Reverse(entries)
			return found, entries, err
		}
	}
}
