//go:build unix

package chaos

import (
	"context"
	"strconv"
	"time"

	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// The harness knows what Redis holds from Redis itself. Where it destroys
// something, it copies it in the same transaction.

// witness reads the room's stream and adds it to the truth, then destroys what the
// destroy adds to the transaction, if any.
func (w *world) witness(room string, destroy func(pipe redis.Pipeliner, key string, entries int) (keep int)) {
	ctx := context.Background()
	w.onPrimaries(func(client *redis.Client) error {
		keys, err := client.Keys(ctx, "{*}:room:"+room).Result()
		if err != nil || len(keys) == 0 {
			return err
		}
		return w.copyRoom(ctx, client, room, keys[0], destroy)
	})
}

func (w *world) copyRoom(ctx context.Context, client *redis.Client, room, key string, destroy func(redis.Pipeliner, string, int) int) error {
	length, err := client.XLen(ctx, key).Result()
	if err != nil {
		return err
	}
	pipe := client.TxPipeline()
	found, epoch := pipe.XRange(ctx, key, "-", "+"), pipe.HGet(ctx, key+":meta", "epoch")
	keep := -1
	if destroy != nil {
		keep = destroy(pipe, key, int(length))
	}
	began := time.Now()
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	if err := w.replicated(ctx, client); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.truth.history(room, epoch.Val())
	entries := w.storedEntries(found.Val())
	h.add(entries)
	switch {
	case keep == 0:
		h.ended = began
	case keep > 0 && len(entries) > keep:
		h.trimmed = entries[len(entries)-keep-1].id
	}
	return nil
}

// storedEntries reads entries as streams/README.md says that they are stored.
func (w *world) storedEntries(found []redis.XMessage) (entries []*entry) {
	for _, message := range found {
		field := func(name string) string { text, _ := message.Values[name].(string); return text }
		e := entry{kind: field("kind"), key: field("key"), user: field("uid"), text: field("text") + field("emoji")}
		e.id, _ = parseID(message.ID)
		e.n, _ = strconv.ParseInt(field("n"), 10, 64)
		if of := field("of"); of != "" {
			e.of, _ = parseID(of)
		}
		entries = append(entries, w.record.pool.one(e))
	}
	return entries
}

// trimRoom keeps the newest entries of a room, as somebody with redis-cli does.
func (w *world) trimRoom(room string, keep int) {
	w.witness(room, func(pipe redis.Pipeliner, key string, _ int) int {
		pipe.XTrimMaxLen(context.Background(), key, int64(keep))
		return keep
	})
}

func (w *world) deleteRoom(room string) {
	w.witness(room, func(pipe redis.Pipeliner, key string, _ int) int {
		pipe.Del(context.Background(), key)
		return 0
	})
}

// flush empties Redis.
func (w *world) flush() {
	ctx := context.Background()
	w.onPrimaries(func(client *redis.Client) error {
		pipe := client.TxPipeline()
		found, epochs := make(map[string]*redis.XMessageSliceCmd), make(map[string]*redis.StringCmd)
		for _, room := range w.rooms() {
			keys, err := client.Keys(ctx, "{*}:room:"+room).Result()
			if err != nil {
				return err
			}
			for _, key := range keys {
				found[room], epochs[room] = pipe.XRange(ctx, key, "-", "+"), pipe.HGet(ctx, key+":meta", "epoch")
			}
		}
		pipe.FlushAll(ctx)
		began := time.Now()
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		if err := w.replicated(ctx, client); err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for room, entries := range found {
			h := w.truth.history(room, epochs[room].Val())
			h.add(w.storedEntries(entries.Val()))
			h.ended = began
		}
		return nil
	})
}

// ends are the rooms' last entries.
func (w *world) ends() map[string]id {
	ctx, ends := context.Background(), make(map[string]id)
	w.onPrimaries(func(client *redis.Client) error {
		for _, room := range w.rooms() {
			keys, err := client.Keys(ctx, "{*}:room:"+room).Result()
			if err != nil {
				return err
			}
			for _, key := range keys {
				last, err := client.XRevRangeN(ctx, key, "+", "-", 1).Result()
				if err != nil {
					return err
				}
				if len(last) > 0 {
					ends[room], _ = parseID(last[0].ID)
				}
			}
		}
		return nil
	})
	return ends
}

// copyBranch notes what a primary holds that nobody can reach any more.
func (w *world) copyBranch(old *redistest.Node) error {
	client := old.Client()
	defer client.Close()
	ctx := context.Background()
	w.branch = make(map[string][]*entry)
	for _, room := range w.rooms() {
		keys, err := client.Keys(ctx, "{*}:room:"+room).Result()
		if err != nil || len(keys) == 0 {
			return err
		}
		found, err := client.XRange(ctx, keys[0], "-", "+").Result()
		if err != nil {
			return err
		}
		w.branch[room] = w.storedEntries(found)
	}
	return nil
}

// part tells from the rooms' histories what only the branch had.
func (w *world) part() {
	for room, entries := range w.branch {
		_, h := w.truth.living(room)
		h.parted = make(map[id]*entry)
		for _, e := range entries {
			if h.byID[e.id] == nil && !h.erased[e.id] {
				h.parted[e.id] = e
			}
		}
	}
	w.branch = nil
}
