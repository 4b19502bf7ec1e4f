package streams

import (
	"errors"
	"testing"
)

func TestAppendNeedsAGrantForWriting(t *testing.T) {
	t.Parallel()
	stopped := make(chan struct{})
	close(stopped)
	access := (&Store{appenders: []*appender{{}}, stopped: stopped}).As(User{ID: "a", Name: "Ada"})
	for _, test := range []struct {
		right     right
		isRefused bool
	}{{reading, true}, {writing, false}} {
		granted, err := access.admit("lobby", test.right)
		if err != nil {
			t.Fatal(err)
		}
		// A stopped store returns ErrUnavailable for appends that are allowed.
		_, err = access.store.append(t.Context(), granted, Entry{Kind: Message}, true)
		if isRefused := !errors.Is(err, ErrUnavailable); err == nil || isRefused != test.isRefused {
			t.Errorf("right %d: got error %v, want refused: %v", test.right, err, test.isRefused)
		}
	}
}
