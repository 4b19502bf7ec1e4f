package streams

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// cacheTime is how long an answer serves later readers. An answer stays correct for its
	// view's generation, and clients that reconnect together send their queries within it.
	cacheTime = time.Second
	// maxCacheBytes is the approximate limit for all cached answers together.
	maxCacheBytes = 32 << 20
	// readTimeout bounds one read of Redis.
	readTimeout = 5 * time.Second
)

// sharedReads makes identical reads of Redis one read, caches the answer for a moment, and
// limits how many run at a time. The others wait here: in the client's pool, waiting
// would end in an error.
//
// x/sync's singleflight would need a string key for each read, and caches nothing.
type sharedReads struct {
	ctx     context.Context // of the reads, whose first caller may leave while others wait
	cancel  context.CancelFunc
	slots   chan struct{}
	running sync.WaitGroup

	mu    sync.Mutex
	reads map[readKey]*sharedRead
	bytes int // of the cached answers
}

// A readKey identifies a query: up to limit entries after a cursor, or the newest ones.
type readKey struct {
	room       string
	epoch      string // of the view: the answer differs before a room's first entry
	generation uint64
	cursor     Cursor
	upto       ID
	newest     bool
	limit      int64
}

type sharedRead struct {
	done   chan struct{} // closed when answer and err are set
	answer *readResult
	err    error
}

func newSharedReads(slots int) *sharedReads {
	f := &sharedReads{slots: make(chan struct{}, slots), reads: make(map[readKey]*sharedRead)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// do returns the answer for the key, from read or from an equal read by another caller. If
// there is an answer already, do returns it even if ctx is done.
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
	case <-shared.done: // if both were ready, the select below would pick either
		return shared.answer, shared.err
	default:
	}
	select {
	case <-shared.done:
		return shared.answer, shared.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *sharedReads) run(key readKey, shared *sharedRead, read func(context.Context) (*readResult, error)) {
	shared.err = f.withSlot(f.ctx, func(ctx context.Context) (err error) {
		shared.answer, err = read(ctx)
		return err
	})
	f.cache(key, shared)
	close(shared.done)
}

// withSlot waits for a slot and runs one read of Redis in it, for readTimeout at most.
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

// cache keeps an answer for cacheTime. An error, or an answer that is too big, goes only
// to the callers that are already waiting.
func (f *sharedReads) cache(key readKey, shared *sharedRead) {
	f.mu.Lock()
	defer f.mu.Unlock()
	size := 0
	if shared.err == nil && shared.answer.batch != nil {
		size = shared.answer.batch.size()
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

// close cancels the reads that run and waits for them.
func (f *sharedReads) close() {
	f.cancel()
	f.running.Wait()
}
