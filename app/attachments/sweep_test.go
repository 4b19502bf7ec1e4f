package attachments_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"burble/app/blobs"
	"burble/streams/redistest"
)

func TestSweepRemovesOldOrphansAndCorrectsBytes(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, store blobs.Store) {
		redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
			w := start(t, backend, store)
			defer clear(t, store)
			kept := w.upload([]byte("kept"))
			w.send(kept)
			if _, err := store.Put(ctx, strings.NewReader("orphan"), 100); err != nil {
				t.Fatal(err)
			}
			w.redis.IncrBy(ctx, "{0}:files:bytes", 1000) // of a process that died
			sweep := func(after time.Duration, cursor string) string {
				t.Helper()
				w.SetClock(func() time.Time { return time.Now().Add(after) })
				next, done, err := w.SweepSome(ctx, cursor)
				if err != nil || !done {
					t.Fatal(done, err)
				}
				return next
			}
			expect := func(objects int, bytes int64) {
				t.Helper()
				if got := len(w.objects()); got != objects {
					t.Errorf("%d objects, want %d", got, objects)
				}
				if got, err := w.Bytes(ctx); got != bytes || err != nil {
					t.Errorf("%d bytes, want %d: %v", got, bytes, err)
				}
			}
			cursor := sweep(0, "")
			expect(2, int64(len("kept")+len("orphan")))
			if next := sweep(23*time.Hour, cursor); next != cursor {
				t.Errorf("another sweep within a day: %q", next)
			}
			sweep(0, "") // a repeated step corrects nothing twice
			expect(2, int64(len("kept")+len("orphan")))
			cursor = sweep(25*time.Hour, cursor)
			expect(2, int64(len("kept")+len("orphan")))
			cursor = sweep(50*time.Hour, cursor)
			expect(1, int64(len("kept")))
			sweep(100*time.Hour, cursor)
			expect(1, int64(len("kept")))
			w.expectLinks()
		})
	})
}

// clear removes all objects.
func clear(t *testing.T, store blobs.Store) {
	for info, err := range store.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		store.Delete(ctx, info.Hash)
	}
}

func TestSweepGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	w := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
	const objects = 1500 // more than one step does
	for i := range objects {
		if _, err := w.store.Put(ctx, bytes.NewReader([]byte{byte(i), byte(i >> 8)}), 2); err != nil {
			t.Fatal(err)
		}
	}
	w.SetClock(func() time.Time { return time.Now().Add(3 * 24 * time.Hour) })
	cursor, steps := "", 0
	for done := false; !done; steps++ {
		var err error
		if cursor, done, err = w.SweepSome(ctx, cursor); err != nil {
			t.Fatal(err)
		}
	}
	if left := len(w.objects()); left > 0 || steps != 2 {
		t.Errorf("after %d steps, %d objects are left; want 2 steps, none left", steps, left)
	}
	if bytes, err := w.Bytes(ctx); bytes != 0 || err != nil {
		t.Errorf("%d bytes, want 0: %v", bytes, err)
	}
}

// If Redis has lost the references of a file, the job adds them again before the sweep could remove the objects.
func TestLostReferencesAreRepaired(t *testing.T) {
	t.Parallel()
	w := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
	w.send(w.upload(picture(1)))
	for _, key := range w.redis.Keys(ctx, "{0}:blob:*").Val() {
		w.redis.Del(ctx, key)
	}
	w.clean()
	w.expectLinks()
	if left := len(w.objects()); left != 2 {
		t.Errorf("%d objects are left, want the picture and its thumbnail", left)
	}
}

// The job of Run removes the object of a deleted message within a minute, and wakes up for that.
func TestRunRemovesSoonAfterDeletion(t *testing.T) {
	t.Parallel()
	w := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
	defer w.run()()
	message := w.send(w.upload(picture(1)))
	began := time.Now()
	w.delete(message)
	w.FilesDeleted(room)
	for len(w.objects()) > 0 {
		if time.Since(began) > patience {
			t.Fatalf("after %v, %d objects are left", patience, len(w.objects()))
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("removed after %v", time.Since(began))
}
