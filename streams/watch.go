package streams

import (
	"context"
	"fmt"

	"burble/streams/conns"

	"github.com/redis/go-redis/v9"
)

// A Watcher is notified of the entries of a stream that is not a room. One goroutine calls its methods.
type Watcher interface {
	// Restored is called when the Store begins to read the stream, and again after each interruption, because
	// the Store may have missed entries. The Store will call Changed for all entries after the one with the ID
	// last, which is "0-0" if there are none. Until Restored succeeds, the Store delivers no entries of rooms.
	Restored(ctx context.Context, last string) error
	// Changed is called for each entry, before the Store delivers entries of rooms that it read later.
	Changed(id string, fields map[string]any)
	// Confirmed is called after each read, even if there were no entries, at least every 20 s.
	Confirmed()
	// Broken is called when the Store can no longer read the stream.
	Broken()
}

// Watch makes the Store read another stream in the same commands as the activity of the rooms. The hash tag
// of the key must be {0}. Watch must be called before Run.
func (s *Store) Watch(key string, watcher Watcher) {
	t := s.tails[0]
	t.watched, t.watcher, t.lastWatched = key, watcher, "0-0"
}

// Conns returns the Store's connections, for other packages that keep data in the same Redis.
func (s *Store) Conns() *conns.Set { return s.redis }

// Prefix returns the beginning of all keys.
func (s *Store) Prefix() string { return s.keys.prefix }

// startWatching finds the end of the watched stream and notifies the Watcher.
func (t *tail) startWatching(ctx context.Context) error {
	if t.watcher == nil {
		return nil
	}
	last, err := t.conn.XRevRangeN(ctx, t.watched, "+", "-", 1).Result()
	if err != nil {
		return fmt.Errorf("find the end of the watched stream: %w", err)
	}
	t.lastWatched = "0-0"
	if len(last) > 0 {
		t.lastWatched = last[0].ID
	}
	return t.watcher.Restored(ctx, t.lastWatched)
}

// takeWatched passes the watched stream's entries in the result of a read to the Watcher, and returns the other
// streams.
func (t *tail) takeWatched(found []redis.XStream) (others []redis.XStream) {
	if t.watcher == nil {
		return found
	}
	if len(found) > 0 && found[0].Stream == t.watched { // Redis keeps the order of the keys
		for _, entry := range found[0].Messages {
			t.watcher.Changed(entry.ID, entry.Values)
			t.lastWatched = entry.ID
		}
		found = found[1:]
	}
	t.watcher.Confirmed()
	return found
}
