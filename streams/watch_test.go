package streams_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/redis/go-redis/v9"
)

// watcher sends its notifications to the channel events. Restored fails while refused is positive.
type watcher struct {
	events  chan string
	refused int
}

func (w *watcher) Restored(_ context.Context, last string) error {
	w.events <- "restored " + last
	if w.refused > 0 {
		w.refused--
		return errors.New("refused by the test")
	}
	return nil
}

func (w *watcher) Changed(id string, fields map[string]any) {
	w.events <- fmt.Sprint("changed ", fields["kind"], " ", id)
}

func (w *watcher) Confirmed() {
	select {
	case w.events <- "confirmed":
	default:
	}
}

func (w *watcher) Broken() { w.events <- "broken" }

// expect waits for an event. Others may come before it.
func (w *watcher) expect(t *testing.T, want string) {
	t.Helper()
	timeout := time.After(30 * time.Second)
	var before []string
	for {
		select {
		case got := <-w.events:
			if got == want {
				return
			}
			before = append(before, got)
		case <-timeout:
			t.Fatalf("waited 30s for %q, got only %q", want, before)
		}
	}
}

func TestWatcherIsNotifiedOfEveryEntryAndInterruption(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		ctx, client := t.Context(), backend.Client
		add := func(kind string) string {
			return client.XAdd(ctx, &redis.XAddArgs{Stream: "{0}:access", Values: []string{"kind", kind}}).Val()
		}
		old := add("old")
		w := &watcher{events: make(chan string, 100), refused: 1}
		store, err := streams.Open(ctx, streams.Options{Redis: backend.Redis})
		if err != nil {
			t.Fatal(err)
		}
		store.Watch("{0}:access", w)
		redistest.RunStore(t, store)
		w.expect(t, "restored "+old)
		w.expect(t, "broken") // because the watcher refused
		w.expect(t, "restored "+old)
		w.expect(t, "confirmed")
		banned := add("banned")
		w.expect(t, "changed banned "+banned)
		w.expect(t, "confirmed")
		backend.DoOnEach(t, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		w.expect(t, "broken")
		w.expect(t, "restored "+banned)
	})
}
