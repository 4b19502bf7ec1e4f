package streams

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// flightKept is how long an answer serves others after it came. What it says
// about a generation stays true; clients that come back together ask within it.
const flightKept = time.Second

// flightsBytes bounds what is kept for others, about.
const flightsBytes = 32 << 20

// flightTime bounds one read of Redis.
const flightTime = 5 * time.Second

// flights make identical reads of Redis one read, and let few go at a time: the
// others wait here, not in the client's pool, where waiting ends in an error.
type flights struct {
	ctx     context.Context // of the reads: who asked first may leave, others still want the answer
	end     context.CancelFunc
	slots   chan struct{}
	running sync.WaitGroup

	mu      sync.Mutex
	current map[flightKey]*flight
	bytes   int // of the answers that are kept
}

// flightKey is the question: at most so many entries after a cursor, or the newest.
type flightKey struct {
	room       string
	epoch      string // of the view, too: what was read before the room began is another answer
	generation uint64
	cursor     Cursor
	upto       ID
	newest     bool
	most       int64
}

type flight struct {
	done   chan struct{} // closed when answer and err are set
	answer *stretch
	err    error
}

func newFlights(slots int) *flights {
	f := &flights{slots: make(chan struct{}, slots), current: make(map[flightKey]*flight)}
	f.ctx, f.end = context.WithCancel(context.Background())
	return f
}

// do returns fn's answer to the question, whoever's fn it was.
func (f *flights) do(ctx context.Context, question flightKey, fn func(context.Context) (*stretch, error)) (*stretch, error) {
	f.mu.Lock()
	asked, found := f.current[question]
	if !found {
		asked = &flight{done: make(chan struct{})}
		f.current[question] = asked
		f.running.Go(func() { f.fly(question, asked, fn) })
	}
	f.mu.Unlock()
	select {
	case <-asked.done: // of two that are ready, select takes any
		return asked.answer, asked.err
	default:
	}
	select {
	case <-asked.done:
		return asked.answer, asked.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fly reads when it is its turn.
func (f *flights) fly(question flightKey, asked *flight, fn func(context.Context) (*stretch, error)) {
	asked.err = f.slot(f.ctx, func(ctx context.Context) (err error) {
		asked.answer, err = fn(ctx)
		return err
	})
	f.keep(question, asked)
	close(asked.done)
}

// slot runs one read of Redis when it is its turn.
func (f *flights) slot(ctx context.Context, read func(context.Context) error) error {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	defer func() { <-f.slots }()
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	return read(ctx)
}

// keep leaves an answer for others for a while; a failure serves nobody else.
func (f *flights) keep(question flightKey, asked *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	size := 0
	if asked.err == nil && asked.answer.batch != nil {
		size = asked.answer.batch.size()
	}
	if asked.err != nil || f.bytes+size > flightsBytes {
		delete(f.current, question)
		return
	}
	f.bytes += size
	time.AfterFunc(flightKept, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.current, question)
		f.bytes -= size
	})
}

// close ends the reads that are under way and waits for them.
func (f *flights) close() {
	f.end()
	f.running.Wait()
}
