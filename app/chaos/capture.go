//go:build unix

package chaos

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"burble/app/chaos/check"
	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// The harness reads the truth from Redis. Before it removes entries, it copies them in the same
// transaction.

// destroyFunc adds commands that remove entries of a room to a transaction. It returns how many of the
// newest entries remain.
type destroyFunc func(pipe redis.Pipeliner, key string) (remain int)

// capture adds the room's stream to the truth. If destroy is not nil, it runs destroy in the same
// transaction.
func (p *phase) capture(room string, destroy destroyFunc) {
	ctx := context.Background()
	p.onPrimaries(func(client redistest.Client) error {
		key, err := roomKey(ctx, client, room)
		if err != nil || key == "" {
			return err
		}
		return p.captureKey(ctx, client, room, key, destroy)
	})
}

// roomKey returns the key of the room's stream, or "" if this node does not have it.
func roomKey(ctx context.Context, client redistest.Client, room string) (string, error) {
	keys, err := client.Keys(ctx, "{*}:room:"+room).Result()
	if err != nil || len(keys) == 0 {
		return "", err
	}
	return keys[0], nil
}

func (p *phase) captureKey(ctx context.Context, client redistest.Client, room, key string, destroy destroyFunc) error {
	pipe := client.TxPipeline()
	found, epoch := pipe.XRange(ctx, key, "-", "+"), pipe.HGet(ctx, key+":meta", "epoch")
	remain := -1
	if destroy != nil {
		remain = destroy(pipe, key)
	}
	began := time.Now()
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	if err := p.awaitReplicas(ctx, client); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.truth.History(room, epoch.Val())
	entries := p.storedEntries(found.Val())
	h.Add(entries)
	switch {
	case remain == 0:
		h.DeletedAt = began
	case remain > 0 && len(entries) > remain:
		h.Trimmed = entries[len(entries)-remain-1].ID
	}
	return nil
}

// storedEntries converts entries from Redis.
func (p *phase) storedEntries(found []redis.XMessage) (entries []*check.Entry) {
	for _, message := range found {
		field := func(name string) string { text, _ := message.Values[name].(string); return text }
		e := check.Entry{Kind: field("kind"), Key: field("key"), User: field("uid"), Text: field("text") + field("emoji")}
		e.ID, _ = check.ParseID(message.ID)
		e.Number, _ = strconv.ParseInt(field("n"), 10, 64)
		e.Member, e.Role = field("member"), field("role")
		var files []streams.File
		json.Unmarshal([]byte(field("files")), &files) // fails for messages without files
		for _, file := range files {
			e.AddFile(file.ID, file.Alt)
		}
		if of := field("of"); of != "" {
			e.Target, _ = check.ParseID(of)
		}
		entries = append(entries, p.environment.Record.Pool.Intern(e))
	}
	return entries
}

// trimRoom trims a room to its newest entries, as an operator may do with redis-cli.
func (p *phase) trimRoom(room string, remain int) {
	p.capture(room, func(pipe redis.Pipeliner, key string) int {
		pipe.XTrimMaxLen(context.Background(), key, int64(remain))
		return remain
	})
}

func (p *phase) deleteRoom(room string) {
	p.capture(room, func(pipe redis.Pipeliner, key string) int {
		pipe.Del(context.Background(), key)
		return 0
	})
}

// flush empties Redis.
func (p *phase) flush() {
	ctx := context.Background()
	p.onPrimaries(func(client redistest.Client) error {
		pipe := client.TxPipeline()
		found, epochs := make(map[string]*redis.XMessageSliceCmd), make(map[string]*redis.StringCmd)
		for _, room := range p.rooms() {
			key, err := roomKey(ctx, client, room)
			if err != nil {
				return err
			}
			if key != "" {
				found[room], epochs[room] = pipe.XRange(ctx, key, "-", "+"), pipe.HGet(ctx, key+":meta", "epoch")
			}
		}
		pipe.FlushAll(ctx)
		began := time.Now()
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		if err := p.awaitReplicas(ctx, client); err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for room, entries := range found {
			h := p.truth.History(room, epochs[room].Val())
			h.Add(p.storedEntries(entries.Val()))
			h.DeletedAt = began
		}
		return nil
	})
}

// lastIDs returns the ID of each room's last entry.
func (p *phase) lastIDs() map[string]check.ID {
	ctx, ends := context.Background(), make(map[string]check.ID)
	p.onPrimaries(func(client redistest.Client) error {
		for _, room := range p.rooms() {
			key, err := roomKey(ctx, client, room)
			if err != nil {
				return err
			}
			if key == "" {
				continue
			}
			last, err := client.XRevRangeN(ctx, key, "+", "-", 1).Result()
			if err != nil {
				return err
			}
			if len(last) > 0 {
				ends[room], _ = check.ParseID(last[0].ID)
			}
		}
		return nil
	})
	return ends
}

// captureOrphans copies all entries from a primary that servers can no longer reach.
func (p *phase) captureOrphans(old *redistest.Node) error {
	client := old.Client()
	defer client.Close()
	ctx := context.Background()
	p.orphans = make(map[string][]*check.Entry)
	for _, room := range p.rooms() {
		key, err := roomKey(ctx, client, room)
		if err != nil {
			return err
		}
		if key == "" {
			continue
		}
		found, err := client.XRange(ctx, key, "-", "+").Result()
		if err != nil {
			return err
		}
		p.orphans[room] = p.storedEntries(found)
	}
	return nil
}

// keepOrphans adds to the histories the entries that only the old primary had.
func (p *phase) keepOrphans() {
	for room, entries := range p.orphans {
		_, h := p.truth.Current(room)
		h.Orphans = make(map[check.ID]*check.Entry)
		for _, e := range entries {
			if h.ByID[e.ID] == nil && !h.Deleted[e.ID] {
				h.Orphans[e.ID] = e
			}
		}
	}
}
