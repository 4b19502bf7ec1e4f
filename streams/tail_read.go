package streams

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// readMoved reads the rooms in moved that have readers in this process. moved maps each room with new
// activity to the cursor of its last entry in that activity.
func (t *tail) readMoved(ctx context.Context, moved map[string]Cursor) error {
	var toRead, toCheck []*window
	for room, cursor := range moved {
		w := t.store.window(room)
		if w == nil {
			continue
		}
		switch current := w.markMoved(); {
		case current == nil: // the first reader will look up the room's end
		case cursor.Epoch != current.end.Epoch || !current.confirmed:
			toCheck = append(toCheck, w)
		case current.end.ID.Before(cursor.ID):
			toRead = append(toRead, w)
		case current.start.ID.Before(cursor.ID) && !current.contains(cursor):
			toCheck = append(toCheck, w) // the entry belongs to another history
		}
	}
	unchanged, err := t.readWindows(ctx, toRead)
	if err != nil {
		return err
	}
	return t.check(ctx, append(toCheck, unchanged...))
}

// readAll reads every followed room, even without activity.
func (t *tail) readAll(ctx context.Context) error {
	_, err := t.readWindows(ctx, t.windows())
	return err
}

// readWindows reads each room's entries after the window's end. It returns the windows of the
// rooms that had none.
//
// The first entry of each reply must be the one at the window's end. It proves that the server still
// has the window's history, even if it became a replica and copied another one since the last read.
// Numbers would prove nothing then: another history may reach the same number.
func (t *tail) readWindows(ctx context.Context, toRead []*window) (unchanged []*window, err error) {
	var toCheck []*window
	for first := true; len(toRead) > 0; first = false {
		found, err := t.xread(ctx, toRead)
		if err != nil {
			return nil, err
		}
		var more []*window
		for _, w := range toRead {
			current := w.view.Load()
			entries := found[t.store.keys.room(w.room)]
			hasEnd := len(entries) > 0 && entries[0].ID == current.end.ID
			switch {
			case len(entries) == 0 || hasEnd && len(entries) == 1:
				if first {
					unchanged = append(unchanged, w)
				}
			case !hasEnd || !areConsecutive(current.lastNumber, entries[1:]): // another history, or entries are missing
				toCheck = append(toCheck, w)
			default:
				w.publish(current.end.Epoch, entries[1:], t.store.windowShare())
				if len(entries) == maxBatchEntries {
					more = append(more, w)
				}
			}
		}
		toRead = more
	}
	return unchanged, t.check(ctx, toCheck)
}

// xread returns each room's entries from the window's end on, by key. It sends one command.
func (t *tail) xread(ctx context.Context, windows []*window) (map[string][]Entry, error) {
	args := &redis.XReadArgs{Count: maxBatchEntries, Block: -1}
	for _, w := range windows {
		args.Streams = append(args.Streams, t.store.keys.room(w.room))
	}
	for _, w := range windows {
		args.Streams = append(args.Streams, w.view.Load().end.ID.previous().String())
	}
	found, err := t.conn.XRead(ctx, args).Result()
	if conns.IsReply(err, notAStream) {
		return t.xreadEach(ctx, windows)
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("read %d rooms: %w", len(windows), err)
	}
	entries := make(map[string][]Entry, len(found))
	for _, stream := range found {
		entries[stream.Stream] = parseEntries(stream.Messages)
	}
	return entries, nil
}

// notAStream is the prefix of Redis's error reply if a room's key has another type.
const notAStream = "WRONGTYPE "

// missingRoom returns the roomInfo for a room whose key is not a stream. The room's readers get Redis's
// error.
func missingRoom() *roomInfo { return &roomInfo{epoch: noEpoch} }

// xreadEach is like xread, but sends one command for each room, because a key that is not a stream
// makes xread fail for all rooms.
func (t *tail) xreadEach(ctx context.Context, windows []*window) (map[string][]Entry, error) {
	if len(windows) == 1 {
		t.applyCheck(windows[0], missingRoom())
		return nil, nil
	}
	all := make(map[string][]Entry, len(windows))
	for _, w := range windows {
		found, err := t.xread(ctx, []*window{w})
		if err != nil {
			return nil, err
		}
		maps.Copy(all, found)
	}
	return all, nil
}

// areConsecutive reports whether the numbers of the entries are n+1, n+2 and so on.
func areConsecutive(n int64, entries []Entry) bool {
	for i := range entries {
		if n++; entries[i].Number != n {
			return false
		}
	}
	return true
}
