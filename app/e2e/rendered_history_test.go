//go:build linux && !race

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/app/client"
	"burble/streams/redistest"
)

// Even if the HTML of messages is 30 times as long as their text, the server fits into the memory of a small host.
func TestCostOfRenderedHistory(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t), "GOMEMLIMIT=64MiB", "RATE_MESSAGES=0")
	token := server.SignIn("Ada")
	var sending sync.WaitGroup
	for room, text := range map[string]string{
		"quotes": strings.Repeat(">", 3980),
		"links":  strings.Repeat("a@b.co ", 560),
		"code":   "```go\n" + strings.Repeat("1+", 1900) + "\n```",
		"plain":  strings.Repeat("\"", 3980),
	} {
		sending.Go(func() {
			for i := range 60 {
				if status, response := server.Post(token, room, client.NewKey(), fmt.Sprint(text, i)); status != http.StatusCreated {
					t.Errorf("post: status %d, want 201: %s", status, response)
				}
			}
		})
	}
	sending.Wait()
	var most atomic.Int64
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for ticker := time.NewTicker(5 * time.Millisecond); ; {
			most.Store(max(most.Load(), int64(server.ResidentBytes())))
			select {
			case <-done:
				return
			case <-ticker.C:
			}
		}
	})
	for _, room := range []string{"quotes", "links", "code", "plain"} {
		var requests sync.WaitGroup
		var answered, busy atomic.Int32
		for range 100 {
			requests.Go(func() {
				switch status, _ := server.Get("/r/" + room + "/messages?limit=60&html=true"); status {
				case http.StatusOK:
					answered.Add(1)
				case http.StatusTooManyRequests:
					busy.Add(1)
				default:
					t.Errorf("%s: status %d, want 200 or 429", room, status)
				}
			})
		}
		requests.Wait()
		t.Logf("%s: %d pages, %d refusals, at most %d MB", room, answered.Load(), busy.Load(), most.Load()>>20)
		if answered.Load() == 0 {
			t.Errorf("%s: all requests were refused", room)
		}
	}
	close(done)
	watching.Wait()
	if most.Load() > 128<<20 {
		t.Errorf("the server grew to %d MB, want at most 128", most.Load()>>20)
	}
}
