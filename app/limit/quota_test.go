package limit

import "testing"

func TestQuotaCountsHeldAmounts(t *testing.T) {
	t.Parallel()
	quota := NewQuota(3)
	release, ok := quota.Take("ada", 2)
	if _, more := quota.Take("ada", 2); !ok || more {
		t.Errorf("2 of 3: %v; 2 more: %v", ok, more)
	}
	if _, ok := quota.Take("bob", 3); !ok {
		t.Error("one key used up another key's quota")
	}
	release()
	release() // does nothing the second time
	release, ok = quota.Take("ada", 3)
	if !ok {
		t.Fatal("a released amount still counts")
	}
	release()
	if _, known := quota.held["ada"]; known || quota.Held("ada") != 0 {
		t.Error("a key that holds nothing is remembered")
	}
	if _, ok := NewQuota(0).Take("ada", 1<<40); !ok {
		t.Error("a quota of 0 is a limit")
	}
}

func TestQuotaGrantsOneOversizedItem(t *testing.T) {
	t.Parallel()
	quota := NewQuota(3)
	release, ok := quota.Take("ada", 10)
	if !ok {
		t.Fatal("a key that holds nothing cannot take more than the quota")
	}
	if _, ok := quota.Take("ada", 1); ok {
		t.Error("an exceeded quota grants more")
	}
	release()
	if _, ok := quota.Take("ada", 1); !ok {
		t.Error("a released amount still counts")
	}
}
