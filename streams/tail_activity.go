package streams

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// activityPosition returns the ID of the last entry that the tail has read from the activity stream key, and
// how often the tail has skipped activity.
func (t *tail) activityPosition(key string) (lastRead string, skips int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lastRead[key], t.skips
}

// seekActivityEnd makes the tails skip all earlier activity. It takes one round trip.
func seekActivityEnd(ctx context.Context, conn redis.Cmdable, tails ...*tail) error {
	pipe := conn.Pipeline()
	last := make(map[string]*redis.XMessageSliceCmd)
	for _, tail := range tails {
		for _, key := range tail.activityKeys {
			last[key] = pipe.XRevRangeN(ctx, key, "+", "-", 1)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("find the end of activity: %w", err)
	}
	for _, tail := range tails {
		tail.skipTo(last)
	}
	return nil
}

// skipTo makes the tail continue after the last entry of each activity stream.
func (t *tail) skipTo(last map[string]*redis.XMessageSliceCmd) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.skips++
	t.lastRead = make(map[string]string, len(t.activityKeys))
	for _, key := range t.activityKeys {
		t.lastRead[key] = "0-0"
		if found := last[key].Val(); len(found) > 0 {
			t.lastRead[key] = found[0].ID
		}
	}
}

// A roomSignal is a signal in a room, as JSON.
type roomSignal struct{ room, encoded string }

// awaitActivity blocks until there is activity, for at most t.block. It returns the latest cursor of each
// room that moved, and the signals. moved is nil if there was no activity. readAll reports whether activity
// may be missing, so that the caller must read every room.
func (t *tail) awaitActivity(ctx context.Context) (moved map[string]Cursor, signals []roomSignal, readAll bool, err error) {
	// By default, go-redis waits 10 s longer than the block time.
	ctx, cancel := context.WithTimeout(ctx, t.block+replyGrace)
	defer cancel()
	var keys, from []string
	if t.watcher != nil {
		keys, from = append(keys, t.watched), append(from, t.lastWatched)
	}
	for _, key := range t.activityKeys {
		keys, from = append(keys, key), append(from, t.lastRead[key])
	}
	args := &redis.XReadArgs{Count: activityLength, Block: t.block, Streams: append(keys, from...)}
	found, err := t.conn.XRead(ctx, args).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, nil, false, fmt.Errorf("wait for activity: %w", err)
	}
	if found = t.takeWatched(found); len(found) == 0 {
		return nil, nil, false, nil
	}
	moved = make(map[string]Cursor)
	for _, stream := range found {
		readAll = readAll || len(stream.Messages) >= activityLength
		t.advance(stream, moved)
		for _, message := range stream.Messages {
			if encoded, ok := message.Values["signal"].(string); ok {
				room, _ := message.Values["room"].(string)
				signals = append(signals, roomSignal{room, encoded})
				continue
			}
			if message.Values["deleted"] != nil {
				room, _ := message.Values["room"].(string)
				t.store.closeDeleted(room)
				delete(moved, room)
			}
		}
	}
	return moved, signals, readAll, nil
}

// advance adds the activity in a stream to moved, and to the windows that have no view yet. It also
// advances lastRead. It holds the Store's mu, so that Follow cannot create a window between these steps.
func (t *tail) advance(stream redis.XStream, moved map[string]Cursor) {
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	for _, message := range stream.Messages {
		cursor, ok := parseActivity(message)
		if !ok {
			continue
		}
		room, _ := message.Values["room"].(string)
		moved[room] = cursor
		switch w := t.store.windows[room]; {
		case w == nil:
		case w.view.Load() == nil:
			w.stored = append(w.stored, cursor)
		default:
			w.stored = nil
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastRead[stream.Stream] = stream.Messages[len(stream.Messages)-1].ID
}

// parseActivity returns the cursor of the entry that an entry of the activity stream announces. ok is false for a signal.
func parseActivity(message redis.XMessage) (cursor Cursor, ok bool) {
	at, _ := message.Values["at"].(string)
	cursor, err := ParseCursor(at)
	return cursor, err == nil
}
