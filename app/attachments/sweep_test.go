package attachments_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"burble/app/blobs"
	"burble/streams"
	"burble/streams/redistest"
)

func TestSweepRemovesOldOrphansAndCorrectsBytes(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, store blobs.Store) {
		redistest.Run(t, func(t *testing.T, backend redistest.Backend) {
			f := start(t, backend, store)
			defer clear(t, store)
			kept := f.upload([]byte("kept"))
			f.send(kept)
			if _, err := store.Put(ctx, strings.NewReader("orphan"), 100); err != nil {
				t.Fatal(err)
			}
			f.redis.IncrBy(ctx, "{0}:files:bytes", 1000) // by another program
			sweep := func(after time.Duration, cursor string) string {
				t.Helper()
				f.SetClock(func() time.Time { return time.Now().Add(after) })
				next, done, err := f.SweepSome(ctx, cursor)
				if err != nil || !done {
					t.Fatal(done, err)
				}
				return next
			}
			expect := func(objects int, bytes int64) {
				t.Helper()
				if got := len(f.objects()); got != objects {
					t.Errorf("%d objects, want %d", got, objects)
				}
				if got, err := f.Bytes(ctx); got != bytes || err != nil {
					t.Errorf("%d bytes, want %d: %v", got, bytes, err)
				}
			}
			cursor := sweep(0, "")
			expect(2, int64(len("kept")))
			if next := sweep(23*time.Hour, cursor); next != cursor {
				t.Errorf("another sweep within a day moved the cursor to %q", next)
			}
			f.redis.HDel(ctx, "{0}:files:sizes", kept.Hash)
			f.redis.Del(ctx, "{0}:files:bytes")
			sweep(0, "")
			expect(2, int64(len("kept")))
			cursor = sweep(25*time.Hour, cursor)
			expect(2, int64(len("kept")))
			cursor = sweep(50*time.Hour, cursor)
			expect(1, int64(len("kept")))
			sweep(100*time.Hour, cursor)
			expect(1, int64(len("kept")))
			f.expectNoLostObject()
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

func TestSweepContinuesFromCursor(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
	const objects = 1500 // more than one step does
	for i := range objects {
		if _, err := f.store.Put(ctx, bytes.NewReader([]byte{byte(i), byte(i >> 8)}), 2); err != nil {
			t.Fatal(err)
		}
	}
	f.SetClock(func() time.Time { return time.Now().Add(3 * 24 * time.Hour) })
	cursor, steps := "", 0
	for done := false; !done; steps++ {
		var err error
		if cursor, done, err = f.SweepSome(ctx, cursor); err != nil {
			t.Fatal(err)
		}
	}
	if left := len(f.objects()); left > 0 || steps != 2 {
		t.Errorf("after %d steps, %d objects are left; want 2 steps, none left", steps, left)
	}
	if bytes, err := f.Bytes(ctx); bytes != 0 || err != nil {
		t.Errorf("%d bytes, want 0: %v", bytes, err)
	}
}

// The bytes that uploads in progress have reserved stay reserved.
func TestSweepDuringUpload(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"reserved", "recorded"} {
		f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
		f.OnStep(func(at string) error {
			if at == step {
				f.SweepSome(ctx, "")
				if reserved, err := f.Bytes(ctx); reserved != 5 || err != nil {
					t.Errorf("at step %s, %d bytes are reserved after a sweep, want 5: %v", step, reserved, err)
				}
			}
			return nil
		})
		f.upload([]byte("hello"))
		if bytes, err := f.Bytes(ctx); bytes != 5 || err != nil {
			t.Errorf("after a sweep at step %s and an upload of 5 bytes: got %d bytes and the error %v, want 5 bytes", step, bytes, err)
		}
	}
}

// A listingStore calls afterList when the sweep has listed all objects.
type listingStore struct {
	blobs.Store
	afterList func()
}

func (s listingStore) List(ctx context.Context, after string) iter.Seq2[blobs.Info, error] {
	return func(yield func(blobs.Info, error) bool) {
		for info, err := range s.Store.List(ctx, after) {
			if !yield(info, err) {
				return
			}
		}
		s.afterList()
	}
}

// Uploads and removals during a sweep count once.
func TestSweepDuringUploadsAndRemovals(t *testing.T) {
	t.Parallel()
	backend, folder := redistest.Single(t), t.TempDir()
	f := start(t, backend, openDirectory(t, folder))
	kept, removed := f.upload([]byte("kept")), f.upload([]byte("removed"))
	message := f.send(removed)
	sweeper := start(t, backend, listingStore{openDirectory(t, folder), func() {
		f.send(f.upload([]byte("another")))
		f.delete(message)
		f.removeNow(removed)
		f.upload([]byte("kept"))
	}})
	uploading := start(t, backend, openDirectory(t, folder))
	uploading.OnStep(func(step string) error {
		if step == "stored" {
			if _, done, err := sweeper.SweepSome(ctx, ""); err != nil || !done {
				t.Error(done, err)
			}
		}
		return nil
	})
	uploading.upload([]byte("during the sweep"))
	if bytes, err := f.Bytes(ctx); bytes != int64(len("kept")+len("another")+len("during the sweep")) || err != nil {
		t.Errorf("got %d bytes and the error %v after a sweep, want those of the three kept files", bytes, err)
	}
	f.send(kept)
	f.clean()
	f.expectNoLostObject()
}

// If Redis has lost the references of a file, the job adds them again before the sweep could remove the objects.
func TestLostReferencesAreRepaired(t *testing.T) {
	t.Parallel()
	f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
	f.send(f.upload(picture(1)))
	for _, key := range f.redis.Keys(ctx, "{0}:blob:*").Val() {
		f.redis.Del(ctx, key)
	}
	f.clean()
	f.expectNoLostObject()
	if left := len(f.objects()); left != 2 {
		t.Errorf("%d objects are left, want the picture and its thumbnail", left)
	}
}

// A full Redis does not prevent the removal of files, which frees space in it.
func TestRunRemovesWhenRedisIsFull(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
	message := f.send(f.upload(picture(1)))
	if err := f.redis.ConfigSet(ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Upload(ctx, request([]byte("hello"))); !errors.Is(err, streams.ErrFull) {
		t.Errorf("upload: %v, want ErrFull", err)
	}
	defer f.run()()
	f.delete(message)
	f.FilesDeleted(room)
	f.awaitNoObjects()
}

// awaitNoObjects waits until the store is empty.
func (f *fixture) awaitNoObjects() {
	f.t.Helper()
	for began := time.Now(); len(f.objects()) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > patience {
			f.t.Fatalf("after %v, %d objects are left", patience, len(f.objects()))
		}
	}
}

// A deletion wakes the job, which removes the object within a minute.
func TestRunRemovesSoonAfterDeletion(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	f := start(t, redistest.Single(t), openDirectory(t, t.TempDir()))
	defer f.run()()
	message := f.send(f.upload(picture(1)))
	began := time.Now()
	f.delete(message)
	f.FilesDeleted(room)
	f.awaitNoObjects()
	t.Logf("removed after %v", time.Since(began))
}
