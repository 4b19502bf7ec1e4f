package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"burble/streams/conns"
)

// defaultLifetime is how long a lease lasts without being renewed. If a server dies while it works, the job
// is idle until the lease has ended and another server looks for work.
const defaultLifetime = 15 * time.Second

// Options configure a Job.
type Options struct {
	// Name identifies the job on all servers: letters, digits, "-" and "_".
	Name string
	// Redis has the connections to use.
	Redis *conns.Set
	// Prefix is the beginning of all keys.
	Prefix string
	// Every is how often a server looks for work without being woken. 0 means 10 minutes.
	Every time.Duration
	// Lifetime is how long the lease lasts without being renewed. 0 means 15 s. It must be the same on all servers.
	Lifetime time.Duration
	// Log may be nil.
	Log *slog.Logger
	// Step does a part of the work, from the cursor that the previous step returned. The first cursor is empty.
	// When there is nothing left to do for now, it returns done = true. When there may be work again, the next step
	// begins at next. If it returns an error, the step is repeated later.
	//
	// The context ends when the server must no longer work, because the job ends or has lost its lease. Step may
	// be called again for a cursor, even on another server at the same time, so it must be repeatable.
	Step func(ctx context.Context, cursor string) (next string, done bool, err error)
}

// A Job runs a background job on this server while it holds the lease. Wake is safe for concurrent use. Only one call of
// Run may be active at a time.
type Job struct {
	options Options
	token   string        // identifies this server as the holder of the lease
	woken   chan struct{} // holds a value if there may be work
}

// errLost means that another server may hold the lease.
var errLost = errors.New("the lease is lost")

// New returns a Job. It does nothing until Run is called.
func New(options Options) *Job {
	if options.Every == 0 {
		options.Every = 10 * time.Minute
	}
	if options.Lifetime == 0 {
		options.Lifetime = defaultLifetime
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	return &Job{options: options, token: rand.Text(), woken: make(chan struct{}, 1)}
}

// Wake makes Run look for work soon. It does not reach other servers.
func (j *Job) Wake() {
	select {
	case j.woken <- struct{}{}:
	default:
	}
}

// Run works whenever there is work and no other server does it, until ctx ends. Then it returns nil.
func (j *Job) Run(ctx context.Context) error {
	level := slog.LevelWarn
	for ctx.Err() == nil {
		wait := j.options.Every
		finished, err := j.work(ctx)
		if err != nil && ctx.Err() == nil {
			j.options.Log.Log(ctx, level, "background job interrupted", "job", j.options.Name, "error", err)
		}
		if level = slog.LevelWarn; err != nil {
			level = slog.LevelDebug // one warning for each outage is enough
		}
		if !finished {
			wait = min(wait, j.options.Lifetime) // the server that holds the lease may die
		}
		select {
		case <-ctx.Done():
		case <-j.woken:
		case <-time.After(wait):
		}
	}
	return nil
}

// work does all the work there is, if no other server does it. It returns false if there may be work left.
func (j *Job) work(ctx context.Context) (finished bool, err error) {
	began := time.Now()
	cursor, acquired, err := j.acquire(ctx)
	if err != nil || !acquired {
		return false, err
	}
	holding, lose := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		j.keepRenewing(holding, lose, began.Add(j.options.Lifetime))
	}()
	defer func() {
		lose(nil)
		<-renewed
		releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if releaseErr := j.release(releasing); err == nil && ctx.Err() == nil {
			err = releaseErr
		}
	}()
	for {
		next, done, err := j.options.Step(holding, cursor.value)
		if holding.Err() != nil {
			return false, context.Cause(holding)
		}
		if err != nil {
			return false, fmt.Errorf("do a step from %q: %w", cursor.value, err)
		}
		if cursor, err = j.move(holding, cursor, next); err != nil || done {
			return err == nil, err
		}
	}
}

// keepRenewing renews the lease until ctx ends. expires is when the lease ends if it is not renewed. If the lease is
// lost, keepRenewing calls lose and returns.
func (j *Job) keepRenewing(ctx context.Context, lose context.CancelCauseFunc, expires time.Time) {
	ticker := time.NewTicker(j.options.Lifetime / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		began := time.Now()
		call, cancel := context.WithDeadline(ctx, expires)
		isHeld, err := j.renew(call)
		cancel()
		switch {
		case err == nil && isHeld:
			expires = began.Add(j.options.Lifetime)
		case err == nil:
			lose(errLost)
			return
		case !time.Now().Before(expires):
			lose(fmt.Errorf("%w: %w", errLost, err))
			return
		}
	}
}
