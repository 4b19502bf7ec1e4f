package streams

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// read reads the rooms that moved and that somebody here follows.
func (t *tail) read(ctx context.Context, moved map[string]Cursor) error {
	var ask, doubt []*window
	for room, cursor := range moved {
		w := t.store.window(room)
		if w == nil {
			continue
		}
		switch seen := w.touched(); {
		case seen == nil: // its first reader finds where it stands
		case cursor.Epoch != seen.upto.Epoch || !seen.proven:
			doubt = append(doubt, w)
		case seen.upto.ID.Before(cursor.ID):
			ask = append(ask, w)
		case seen.start.ID.Before(cursor.ID) && !seen.holds(cursor):
			doubt = append(doubt, w) // a history that the window does not know
		}
	}
	silent, err := t.readOn(ctx, ask)
	if err != nil {
		return err
	}
	return t.check(ctx, append(doubt, silent...))
}

// readOn reads each room on from its window's end. It returns those that had nothing.
func (t *tail) readOn(ctx context.Context, ask []*window) (silent []*window, err error) {
	var doubt []*window
	for first := true; len(ask) > 0; first = false {
		found, err := t.xread(ctx, ask)
		if err != nil {
			return nil, err
		}
		var more []*window
		for _, w := range ask {
			entries, ok := found[t.store.keys.room(w.room)]
			switch seen := w.view.Load(); {
			case !ok && first:
				silent = append(silent, w)
			case !ok:
			case seen.upto.Epoch == noEpoch || !chained(seen.n, entries): // the room has begun, or has a gap
				doubt = append(doubt, w)
			default:
				w.publish(seen.upto.Epoch, entries, t.store.windowBytes())
				if len(entries) == batchEntries {
					more = append(more, w)
				}
			}
		}
		ask = more
	}
	return silent, t.check(ctx, doubt)
}

// xread is one command for all the rooms: what each has after its window's end.
func (t *tail) xread(ctx context.Context, ask []*window) (map[string][]Entry, error) {
	args := &redis.XReadArgs{Count: batchEntries, Block: -1}
	for _, w := range ask {
		args.Streams = append(args.Streams, t.store.keys.room(w.room))
	}
	for _, w := range ask {
		args.Streams = append(args.Streams, w.view.Load().upto.ID.String())
	}
	found, err := t.conn.XRead(ctx, args).Result()
	if conns.IsReply(err, notAStream) {
		return t.xreadEach(ctx, ask)
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("read %d rooms: %w", len(ask), err)
	}
	entries := make(map[string][]Entry, len(found))
	for _, stream := range found {
		entries[stream.Stream] = parseEntries(stream.Messages)
	}
	return entries, nil
}

// notAStream begins the answer about a room's key that somebody set to something else.
const notAStream = "WRONGTYPE "

// notThere is what the window of such a room is told: its readers find out what it is.
func notThere() *place { return &place{epoch: noEpoch} }

// xreadEach reads the rooms one by one, because one of them is no stream.
func (t *tail) xreadEach(ctx context.Context, ask []*window) (map[string][]Entry, error) {
	if len(ask) == 1 {
		t.settle(ask[0], notThere())
		return nil, nil
	}
	all := make(map[string][]Entry, len(ask))
	for _, w := range ask {
		found, err := t.xread(ctx, []*window{w})
		if err != nil {
			return nil, err
		}
		maps.Copy(all, found)
	}
	return all, nil
}

// chained says whether the entries follow the one with number n without a break.
func chained(n int64, entries []Entry) bool {
	for i := range entries {
		if n++; entries[i].N != n {
			return false
		}
	}
	return true
}
