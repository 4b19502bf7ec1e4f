package streams

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// cacheTime is how long a result is cached. A result stays correct until the view's generation
	// changes. When many clients reconnect at once, most do so within this time.
	cacheTime = time.Second
	// maxCacheBytes is the approximate limit for all cached results together.
	maxCacheBytes = 32 << 20
	// maxSharedReads is how many reads run at a time. A page that is requested just after many clients have
	// reconnected waits for at most this many.
	maxSharedReads = 32
	// readTimeout is the timeout of one read from Redis.
	readTimeout = 5 * time.Second
)

// sharedReads merges identical reads from Redis, caches their results briefly, and limits how many
// reads run at a time. Further reads wait here, because they would time out in the connection pool.
//
// Package golang.org/x/sync/singleflight would need a string key for each read, and does not cache.
type sharedReads struct {
	ctx     context.Context // for all reads, because a read must continue after its first caller gives up
	cancel  context.CancelFunc
	slots   chan struct{}
	running sync.WaitGroup

	mu    sync.Mutex
	reads map[readKey]*sharedRead
	bytes int // size of the cached results
}

// A readKey identifies a query: up to limit entries after a cursor, or the newest ones.
type readKey struct {
	room       string
	epoch      string // the view's epoch; noEpoch until the room's first entry
	generation uint64
	cursor     Cursor
	upto       ID
	newest     bool
	limit      int64
}

type sharedRead struct {
	done   chan struct{} // closed when result and err are set
	result *readResult
	err    error
}

func newSharedReads(slots int) *sharedReads {
	f := &sharedReads{slots: make(chan struct{}, slots), reads: make(map[readKey]*sharedRead)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// do returns the result for the key. It calls read unless another caller's read for the key is running
// or its result is cached. It returns a cached result even if ctx is done.
func (f *sharedReads) do(ctx context.Context, key readKey, read func(context.Context) (*readResult, error)) (*readResult, error) {
	f.mu.Lock()
	shared, found := f.reads[key]
	if !found {
		shared = &sharedRead{done: make(chan struct{})}
		f.reads[key] = shared
		f.running.Go(func() { f.run(key, shared, read) })
	}
	f.mu.Unlock()
	select {
	case <-shared.done: // preferred, even if ctx is done too
		return shared.result, shared.err
	default:
	}
	select {
	case <-shared.done:
		return shared.result, shared.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *sharedReads) run(key readKey, shared *sharedRead, read func(context.Context) (*readResult, error)) {
	shared.err = f.withSlot(f.ctx, func(ctx context.Context) (err error) {
		shared.result, err = read(ctx)
		return err
	})
	f.cache(key, shared)
	close(shared.done)
}

// withSlot waits for a slot, then calls read with a timeout of readTimeout.
func (f *sharedReads) withSlot(ctx context.Context, read func(context.Context) error) error {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	defer func() { <-f.slots }()
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return read(ctx)
}

// cache keeps a result for cacheTime. It does not keep errors, or results that do not fit. Only the
// callers that are already waiting receive those.
func (f *sharedReads) cache(key readKey, shared *sharedRead) {
	f.mu.Lock()
	defer f.mu.Unlock()
	size := 0
	if shared.err == nil && shared.result.batch != nil {
		size = shared.result.batch.size()
	}
	if shared.err != nil || f.bytes+size > maxCacheBytes {
		delete(f.reads, key)
		return
	}
	f.bytes += size
	time.AfterFunc(cacheTime, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.reads, key)
		f.bytes -= size
	})
}

// close cancels the running reads and waits for them.
func (f *sharedReads) close() {
	f.cancel()
	f.running.Wait()
}
