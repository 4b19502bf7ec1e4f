package streams

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSharedReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := newSharedReads(1)
		defer reads.close()
		key := readKey{room: "lobby"}
		started := 0
		read := func(context.Context) (*readResult, error) {
			started++
			time.Sleep(10 * time.Millisecond)
			return &readResult{}, nil
		}
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				if _, err := reads.do(context.Background(), key, read); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if started != 1 {
			t.Errorf("100 callers with one key: got %d reads, want 1", started)
		}
		if _, err := reads.do(canceled, key, read); err != nil || started != 1 {
			t.Errorf("canceled context: got error %v and %d reads, want the cached result", err, started)
		}
		time.Sleep(cacheTime + time.Millisecond)
		if _, err := reads.do(canceled, key, read); err == nil {
			t.Error("after cacheTime: got the cached result, want an error")
		}
		synctest.Wait()
		if started != 2 {
			t.Errorf("after cacheTime: got %d reads, want 2", started)
		}
	})
}

func TestSharedReadErrorIsNotCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := newSharedReads(1)
		defer reads.close()
		fails := func(context.Context) (*readResult, error) { return nil, errors.New("no") }
		works := func(context.Context) (*readResult, error) { return &readResult{}, nil }
		if _, err := reads.do(context.Background(), readKey{}, fails); err == nil {
			t.Error("failing read: got no error, want one")
		}
		if _, err := reads.do(context.Background(), readKey{}, works); err != nil {
			t.Errorf("read after a failing one: got error %v, want none", err)
		}
	})
}

// Shared reads must wait for a slot instead of timing out in the connection pool.
func TestSharedReadsRunInSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := newSharedReads(2)
		defer reads.close()
		running, most := 0, 0
		var mu sync.Mutex
		read := func(context.Context) (*readResult, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return &readResult{}, nil
		}
		var callers sync.WaitGroup
		for i := range 20 {
			callers.Go(func() { reads.do(context.Background(), readKey{limit: int64(i)}, read) })
		}
		callers.Wait()
		if most != 2 {
			t.Errorf("got %d reads at a time, want 2", most)
		}
	})
}
