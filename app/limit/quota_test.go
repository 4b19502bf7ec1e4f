package limit

import (
	"runtime"
	"testing"
)

func TestQuotaCountsHeldAmounts(t *testing.T) {
	t.Parallel()
	quota := NewQuota(3)
	release, ok := quota.Take("ada", 2)
	if _, more := quota.Take("ada", 2); !ok || more {
		t.Errorf("taking 2 of 3: %v, then 2 more: %v; want true, then false", ok, more)
	}
	if _, ok := quota.Take("bob", 3); !ok {
		t.Error("one key used up another key's quota")
	}
	release()
	release() // must do nothing the second time
	release, ok = quota.Take("ada", 3)
	if !ok {
		t.Fatal("an amount still counts after its release")
	}
	release()
	if _, known := quota.held["ada"]; known || quota.Held("ada") != 0 {
		t.Error("a key that holds nothing is still stored")
	}
	if _, ok := NewQuota(0).Take("ada", 1<<40); !ok {
		t.Error("a quota of 0 refused an amount")
	}
}

func TestQuotaAllowsOneOversizedItem(t *testing.T) {
	t.Parallel()
	quota := NewQuota(3)
	release, ok := quota.Take("ada", 10)
	if !ok {
		t.Fatal("an oversized item was refused for a key that holds nothing")
	}
	if _, ok := quota.Take("ada", 1); ok {
		t.Error("another item was allowed while the quota was exceeded")
	}
	release()
	if _, ok := quota.Take("ada", 1); !ok {
		t.Error("an amount still counts after its release")
	}
}

// Each connected client counts against four quotas.
func TestHoldingAQuotaTakesLittleMemory(t *testing.T) {
	const count, maximum = 1000, 64 // bytes for each
	quota := NewQuota(0)
	releases := make([]func(), count)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range releases {
		releases[i], _ = quota.Take("ada", 1)
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / count; each > maximum {
		t.Errorf("holding a quota takes %d bytes, want at most %d", each, maximum)
	}
	runtime.KeepAlive(releases)
}
