package blobs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"burble/app/blobs"
)

func TestStore(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store blobs.Store) {
		for _, size := range []int64{0, 1, 100_000} {
			if size == 0 && strings.HasSuffix(t.Name(), "gofakes3") {
				continue // gofakes3 refuses empty objects; no real server does
			}
			body, hash := noise(size)
			if exists, err := store.Exists(ctx, hash); exists || err != nil {
				t.Fatalf("before Put: Exists returned %v, %v; want false", exists, err)
			}
			if _, err := store.Open(ctx, hash); !errors.Is(err, blobs.ErrNotFound) {
				t.Fatalf("before Put: Open returned %v, want %v", err, blobs.ErrNotFound)
			}
			blob, err := store.Put(ctx, body, size)
			if err != nil || blob != (blobs.Blob{Hash: hash, Size: size}) {
				t.Fatalf("Put returned %v, %v; want hash %s and size %d", blob, err, hash, size)
			}
			again, _ := noise(size)
			if _, err := store.Put(ctx, again, size); err != nil {
				t.Fatalf("the second Put of the same bytes: %v", err)
			}
			if exists, err := store.Exists(ctx, hash); !exists || err != nil {
				t.Fatalf("after Put: Exists returned %v, %v; want true", exists, err)
			}
			want, _ := noise(size)
			if wantBytes, _ := io.ReadAll(want); !bytes.Equal(readAll(t, store, hash), wantBytes) {
				t.Fatal("the object's bytes differ from those that were stored")
			}
			for range 2 {
				if err := store.Delete(ctx, hash); err != nil {
					t.Fatal(err)
				}
			}
			if exists, err := store.Exists(ctx, hash); exists || err != nil {
				t.Fatalf("after Delete: Exists returned %v, %v; want false", exists, err)
			}
		}
	})
}

func TestObjectsCanSeek(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store blobs.Store) {
		blob, err := store.Put(ctx, strings.NewReader("0123456789"), 10)
		if err != nil {
			t.Fatal(err)
		}
		object, err := store.Open(ctx, blob.Hash)
		if err != nil {
			t.Fatal(err)
		}
		defer object.Close()
		if _, err := object.Seek(7, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(object); string(rest) != "789" || err != nil {
			t.Errorf("read %q, %v; want 789", rest, err)
		}
	})
}

func TestLimit(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store blobs.Store) {
		body, hash := noise(100_001)
		if blob, err := store.Put(ctx, body, 100_000); !errors.Is(err, blobs.ErrTooLarge) || blob != (blobs.Blob{}) {
			t.Errorf("Put returned %v, %v; want %v", blob, err, blobs.ErrTooLarge)
		}
		if exists, _ := store.Exists(ctx, hash); exists {
			t.Error("an object larger than the limit was stored")
		}
		expectEmpty(t, store)
	})
}

func TestInterruptedBodyStoresNothing(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store blobs.Store) {
		broken := errors.New("the client went away")
		body := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
		if _, err := store.Put(ctx, body, 1000); !errors.Is(err, broken) {
			t.Errorf("Put returned %v, want %v", err, broken)
		}
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := store.Put(canceled, strings.NewReader("text"), 1000); !errors.Is(err, context.Canceled) {
			t.Errorf("Put returned %v, want %v", err, context.Canceled)
		}
		expectEmpty(t, store)
	})
}

func expectEmpty(t *testing.T, store blobs.Store) {
	t.Helper()
	for info, err := range store.List(ctx, "") {
		t.Errorf("the store contains the object %v, error %v; want none", info, err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store blobs.Store) {
		var want []string
		for size := int64(1); size <= 20; size++ {
			body, _ := noise(size)
			blob, err := store.Put(ctx, body, size)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, blob.Hash)
		}
		slices.Sort(want)
		for _, skip := range []int{0, 1, 10, 20} {
			after := ""
			if skip > 0 {
				after = want[skip-1]
			}
			var got []string
			for info, err := range store.List(ctx, after) {
				if err != nil {
					t.Fatal(err)
				}
				if info.Stored.IsZero() {
					t.Errorf("the object %s has no storage time", info.Hash)
				}
				got = append(got, info.Hash)
			}
			if !slices.Equal(got, want[skip:]) {
				t.Errorf("after %d objects, List returned %d, want %d", skip, len(got), len(want[skip:]))
			}
		}
		for range store.List(ctx, "") {
			break
		}
	})
}

func TestInvalidHashes(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store blobs.Store) {
		for _, hash := range []string{"", "a", "../../../../etc/passwd", strings.Repeat("A", 64), strings.Repeat("a", 65), strings.Repeat("a", 63) + "/", "ab/" + strings.Repeat("c", 61)} {
			if _, err := store.Open(ctx, hash); !errors.Is(err, blobs.ErrNotFound) {
				t.Errorf("Open(%q) returned %v, want %v", hash, err, blobs.ErrNotFound)
			}
			if exists, err := store.Exists(ctx, hash); exists || err != nil {
				t.Errorf("Exists(%q) returned %v, %v; want false", hash, exists, err)
			}
			if err := store.Delete(ctx, hash); err != nil {
				t.Errorf("Delete(%q) returned %v, want nil", hash, err)
			}
		}
	})
}

func TestConcurrentPutsOfSameBytes(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, store blobs.Store) {
		var running sync.WaitGroup
		for range 8 {
			running.Go(func() {
				body, hash := noise(50_000)
				if blob, err := store.Put(ctx, body, 50_000); err != nil || blob.Hash != hash {
					t.Errorf("Put returned %v, %v; want the hash %s", blob, err, hash)
				}
			})
		}
		running.Wait()
		_, hash := noise(50_000)
		if got := readAll(t, store, hash); len(got) != 50_000 {
			t.Errorf("read %d bytes, want 50,000", len(got))
		}
	})
}
