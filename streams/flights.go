package streams

import (
	"context"
	"sync"
	"time"
)

// flightKept is how long an answer serves others after it came. What it says
// about a generation stays true; clients that come back together ask within it.
const flightKept = time.Second

// flightTime bounds one read of Redis.
const flightTime = 5 * time.Second

// flights make identical reads of Redis one read.
type flights struct {
	mu      sync.Mutex
	current map[flightKey]*flight
	running sync.WaitGroup
}

// flightKey is the question: at most so many entries after a cursor, or the newest.
type flightKey struct {
	room       string
	generation uint64
	cursor     Cursor
	newest     bool
	most       int64
}

type flight struct {
	done   chan struct{} // closed when answer and err are set
	answer *stretch
	err    error
}

// do returns fn's answer to the question, whoever's fn it was.
func (f *flights) do(ctx context.Context, question flightKey, fn func(context.Context) (*stretch, error)) (*stretch, error) {
	f.mu.Lock()
	asked, found := f.current[question]
	if !found {
		asked = &flight{done: make(chan struct{})}
		if f.current == nil {
			f.current = make(map[flightKey]*flight)
		}
		f.current[question] = asked
	}
	f.mu.Unlock()
	if found {
		select {
		case <-asked.done:
			return asked.answer, asked.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	// The one who asked first may leave; the others still want the answer.
	reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightTime)
	defer cancel()
	f.running.Add(1)
	defer f.running.Done()
	asked.answer, asked.err = fn(reading)
	close(asked.done)
	f.forget(question, asked)
	return asked.answer, asked.err
}

// forget drops an answer when it has served, a failure at once.
func (f *flights) forget(question flightKey, asked *flight) {
	drop := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.current, question)
	}
	if asked.err != nil {
		drop()
		return
	}
	time.AfterFunc(flightKept, drop)
}

// wait returns when no read is under way.
func (f *flights) wait() { f.running.Wait() }
