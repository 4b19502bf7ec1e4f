package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/lease"
	"burble/streams/redistest"
)

func TestServersShareWork(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		var working atomic.Int32
		step := countTo(backend.Client, items, nil)
		for range 3 {
			start(t, backend.Redis, lease.Options{Lifetime: time.Hour, Step: func(ctx context.Context, cursor string) (string, bool, error) {
				if working.Add(1) > 1 {
					t.Error("two servers work at the same time")
				}
				defer working.Add(-1)
				return step(ctx, cursor)
			}})
		}
		await(t, "the work to be done", func() bool { return cursorOf(t, backend.Client) == "12" })
		if all, twice := done(t, backend.Client); len(all) != items || twice {
			t.Errorf("done: %v, twice: %v; want %d items, once each", all, twice, items)
		}
	})
}

func TestAnotherServerContinuesAfterHolderIsKilled(t *testing.T) {
	t.Parallel()
	backend := redistest.Single(t)
	killed := startServer(t, backend.Redis.Addrs[0], 5)
	killed.process.Kill()
	start(t, backend.Redis, lease.Options{Lifetime: shortLifetime, Step: countTo(backend.Client, items, nil)})
	await(t, "the work to be done", func() bool { return cursorOf(t, backend.Client) == "12" })
	if all, twice := done(t, backend.Client); len(all) != items || twice {
		t.Errorf("done: %v, twice: %v; want %d items, once each", all, twice, items)
	}
}

// A step that ignores its context, and ends after another server has done the same step and more, must not move
// the cursor back, even if the cursor has the same value again.
func TestCursorMovesByCompareAndSet(t *testing.T) {
	t.Parallel()
	redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
		entered, leave, logged := make(chan struct{}), make(chan struct{}), make(chan struct{}, 10)
		start(t, backend.Redis, lease.Options{
			Lifetime: time.Hour, Every: time.Hour, Log: slog.New(slog.NewTextHandler(signalWriter(logged), nil)),
			Step: func(context.Context, string) (string, bool, error) {
				close(entered)
				<-leave
				return "stale", true, nil
			},
		})
		awaitSignal(t, "the first server to work", entered)
		if err := backend.Client.Del(ctx, "{0}:lease:count").Err(); err != nil { // as if it had expired
			t.Fatal(err)
		}
		cycle := []string{"1", "2", ""} // ends where it began
		steps := 0
		ended := make(chan struct{})
		start(t, backend.Redis, lease.Options{Every: time.Hour, Step: func(context.Context, string) (string, bool, error) {
			if steps == len(cycle) {
				close(ended)
				return "", true, nil
			}
			steps++
			return cycle[steps-1], false, nil
		}})
		awaitSignal(t, "the second server", ended)
		close(leave)
		awaitSignal(t, "the first server's error", logged)
		if cursor := cursorOf(t, backend.Client); cursor != "" {
			t.Errorf("the cursor is %q, want an empty one", cursor)
		}
	})
}

type signalWriter chan struct{}

func (w signalWriter) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "another server has moved it") {
		w <- struct{}{}
	}
	return len(line), nil
}

func TestStepEndsWhenLeaseIsLost(t *testing.T) {
	t.Parallel()
	backend := redistest.Single(t)
	entered, left := make(chan struct{}), make(chan struct{})
	start(t, backend.Redis, lease.Options{Lifetime: shortLifetime, Every: time.Hour, Step: func(ctx context.Context, _ string) (string, bool, error) {
		close(entered)
		<-ctx.Done()
		close(left)
		return "wrong", true, nil
	}})
	awaitSignal(t, "the server to work", entered)
	if err := backend.Client.Set(ctx, "{0}:lease:count", "another server", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	awaitSignal(t, "the context to end", left)
	if holder := backend.Client.Get(ctx, "{0}:lease:count").Val(); holder != "another server" {
		t.Errorf("the lease of the other server became %q", holder)
	}
	if cursor := cursorOf(t, backend.Client); cursor != "" {
		t.Errorf("the cursor is %q, want an empty one", cursor)
	}
}

func TestLeaseIsRenewedDuringLongStep(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	backend := redistest.Single(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	start(t, backend.Redis, lease.Options{Lifetime: 3 * time.Second, Every: time.Hour, Step: func(ctx context.Context, _ string) (string, bool, error) {
		close(entered)
		select {
		case <-leave:
			return "done", true, nil
		case <-ctx.Done():
			return "", false, ctx.Err()
		}
	}})
	awaitSignal(t, "the server to work", entered)
	for renewals := 0; renewals < 4; { // longer than a lease lasts without renewal
		before := backend.Client.PTTL(ctx, "{0}:lease:count").Val()
		await(t, "a renewal", func() bool {
			now := backend.Client.PTTL(ctx, "{0}:lease:count").Val()
			isRenewed := now > before
			before = now
			return isRenewed
		})
		renewals++
	}
	close(leave)
	await(t, "the end of the step", func() bool { return cursorOf(t, backend.Client) == "done" })
}

func TestFailedStepIsRepeated(t *testing.T) {
	t.Parallel()
	backend := redistest.Single(t)
	var cursors []string
	ended := make(chan struct{})
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	start(t, backend.Redis, lease.Options{Log: logger, Step: func(_ context.Context, cursor string) (string, bool, error) {
		switch cursors = append(cursors, cursor); len(cursors) {
		case 1:
			return "1", false, nil
		case 2, 3:
			return "wrong", true, errors.New("no")
		case 4:
			close(ended)
		}
		return cursor, true, nil
	}})
	awaitSignal(t, "the fourth step", ended)
	if want := []string{"", "1", "1", "1"}; !slices.Equal(cursors[:4], want) {
		t.Errorf("steps began at %q, want %q", cursors, want)
	}
	if got := strings.Count(log.String(), "\n"); got != 1 {
		t.Errorf("%d lines were logged for two failures in a row, want 1:\n%s", got, &log)
	}
}

func TestWakeAndIdleCost(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	defer client.Close()
	worked := make(chan struct{}, 10)
	job, stop := start(t, server.Redis(), lease.Options{Every: time.Hour, Step: func(_ context.Context, cursor string) (string, bool, error) {
		worked <- struct{}{}
		return cursor, true, nil
	}})
	awaitSignal(t, "the first look for work", worked)
	await(t, "the end of the lease", func() bool { return client.Exists(ctx, "{0}:lease:count").Val() == 0 })
	if err := client.Do(ctx, "CONFIG", "RESETSTAT").Err(); err != nil {
		t.Fatal(err)
	}
	job.Wake()
	awaitSignal(t, "work after Wake", worked)
	stop()
	stats, err := client.Info(ctx, "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stats, "cmdstat_evalsha:calls=2,") {
		t.Errorf("want 2 script calls when there is nothing to do, got:\n%s", stats)
	}
	if keys := client.Keys(ctx, "*").Val(); len(keys) != 0 {
		t.Errorf("keys are left: %q", keys)
	}
}
