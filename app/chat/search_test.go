package chat

import (
	"burble/app/identity"
	"testing"

	"github.com/google/uuid"
)

// A search costs Redis work for a while, and many names do not make more searches possible.
func TestSearchesAtOnceAreLimited(t *testing.T) {
	t.Parallel()
	quotas := newSearchQuotas()
	var running []func()
	for range searchesByAddress {
		end, ok := quotas.take(identity.User{ID: uuid.NewString()}, "203.0.113.1")
		if !ok {
			t.Fatal("refused within the limit")
		}
		running = append(running, end)
	}
	ada := identity.User{ID: uuid.NewString()}
	if _, ok := quotas.take(ada, "203.0.113.1"); ok {
		t.Error("one more search of the address is allowed")
	}
	end, ok := quotas.take(ada, "203.0.113.2")
	if !ok {
		t.Fatal("another address is refused")
	}
	if _, ok := quotas.take(ada, "203.0.113.3"); ok {
		t.Error("one user may search twice at once")
	}
	end()
	for _, end := range running {
		end()
	}
	if _, ok := quotas.take(ada, "203.0.113.1"); !ok {
		t.Error("refused after the others have ended")
	}
}
