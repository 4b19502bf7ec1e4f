package chat

import (
	"testing"

	"burble/app/identity"

	"github.com/google/uuid"
)

// One address must not run more searches by creating more users.
func TestSearchesAtOnceAreLimited(t *testing.T) {
	t.Parallel()
	quotas := newSearchQuotas()
	var releases []func()
	for range searchesByAddress {
		release, ok := quotas.take(identity.User{ID: uuid.NewString()}, "203.0.113.1")
		if !ok {
			t.Fatal("refused within the limit")
		}
		releases = append(releases, release)
	}
	if _, ok := quotas.take(ada, "203.0.113.1"); ok {
		t.Error("one search too many of the address is allowed")
	}
	release, ok := quotas.take(ada, "203.0.113.2")
	if !ok {
		t.Fatal("another address is refused")
	}
	if _, ok := quotas.take(ada, "203.0.113.3"); ok {
		t.Error("two searches of one user are allowed at once")
	}
	release()
	for _, release := range releases {
		release()
	}
	if _, ok := quotas.take(ada, "203.0.113.1"); !ok {
		t.Error("refused after the other searches have ended")
	}
}
