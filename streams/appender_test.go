package streams

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// send passes a call to the appender after a delay.
func send(a *appender, author string, after time.Duration) {
	go func() {
		time.Sleep(after)
		a.calls <- &appendCall{user: author}
	}()
}

func TestAppenderGroups(t *testing.T) {
	t.Parallel()
	type arrival struct {
		author string
		after  time.Duration
	}
	const shortly = time.Millisecond
	for name, test := range map[string]struct {
		lastShared bool
		arrivals   []arrival // after the first call, which is Ada's
		size       int
		took       time.Duration
	}{
		"a single append is not delayed":        {false, []arrival{{"bob", shortly}}, 1, 0},
		"an append already waiting is included": {false, []arrival{{"bob", 0}}, 2, 0},
		"appends that arrive together wait":     {true, []arrival{{"bob", shortly}, {"eve", 5 * shortly}}, 3, groupInterval},
		"a later append is not in the group":    {true, []arrival{{"bob", groupInterval + shortly}}, 1, groupInterval},
		"the last group's author waits less":    {true, []arrival{{"last", shortly}, {"eve", 5 * shortly}}, 2, authorInterval},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAppender(&Store{})
				a.lastSent, a.lastShared = time.Now(), test.lastShared
				a.lastAuthors["last"] = true
				for _, one := range test.arrivals {
					send(a, one.author, one.after)
				}
				synctest.Wait() // until the calls without a delay are waiting
				began := time.Now()
				group := a.collect(&appendCall{user: "ada"})
				if took := time.Since(began); len(group) != test.size || took != test.took {
					t.Errorf("got %d appends after %v, want %d after %v", len(group), took, test.size, test.took)
				}
				for range len(test.arrivals) + 1 - len(group) {
					<-a.calls
				}
			})
		})
	}
}

func TestAppenderSendsFullGroupAtOnce(t *testing.T) {
	t.Parallel()
	for waiting, want := range map[int]int{fullGroupSize - 1: fullGroupSize, maxGroupSize + 10: maxGroupSize} {
		synctest.Test(t, func(t *testing.T) {
			a := newAppender(&Store{})
			a.lastSent, a.lastShared = time.Now(), true
			for i := range waiting {
				send(a, fmt.Sprint(i), 0)
			}
			synctest.Wait()
			began := time.Now()
			if group := a.collect(&appendCall{user: "ada"}); len(group) != want || time.Since(began) != 0 {
				t.Errorf("%d waiting calls: got %d appends after %v, want %d at once", waiting, len(group), time.Since(began), want)
			}
			for range waiting + 1 - want {
				<-a.calls
			}
		})
	}
}
