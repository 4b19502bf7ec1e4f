package verdicts

import (
	"slices"
	"testing"
)

// The cache must neither grow without limit nor forget subscribers.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s, r := f.session(), &recorder{}
	if _, err := f.Subscribe(ctx, s, r); err != nil {
		t.Fatal(err)
	}
	for range maxCachedUsers + 100 {
		other := f.session()
		if _, err := f.Verdict(ctx, other); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.cache.users); n > maxCachedUsers+20 {
		t.Errorf("%d users are cached, want at most %d", n, maxCachedUsers+20)
	}
	f.Changed(f.change("signed_out", s, nil))
	if !slices.Equal(r.events, []error{ErrSignedOut}) {
		t.Errorf("notified of %v, want only %v", r.events, ErrSignedOut)
	}
}
