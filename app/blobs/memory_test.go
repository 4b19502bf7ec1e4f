//go:build !race

package blobs_test

import (
	"runtime"
	"testing"

	"burble/app/blobs"
)

// Not parallel, because it measures the memory of the process. gofakes3 keeps objects in this process.
func TestCostOfUpload(t *testing.T) {
	const size, bound = 25 << 20, 2 << 20
	stores := map[string]func(testing.TB) blobs.Store{
		"directory": func(t testing.TB) blobs.Store { return openDirectory(t) },
		"versitygw": func(t testing.TB) blobs.Store { return startS3(t) },
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			body, _ := noise(size)
			if _, err := store.Put(ctx, body, size); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("an upload of %d bytes allocates %d", size, allocated)
			if allocated > bound {
				t.Errorf("an upload of %d bytes allocates %d bytes, want at most %d", size, allocated, bound)
			}
		})
	}
}
