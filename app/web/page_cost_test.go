package web

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"burble/app/peer"
	"burble/app/protocol"
	"burble/app/throttle"
	"burble/streams/redistest"
)

// Rendering is charged for the time that it takes, and may be refused in the middle of a page. The HTML
// rendered until then is cached, so a client that retries gets the page eventually.
func TestRenderingIsCharged(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.RateAddress, set.TrustedProxy = 10, peer.ProxyFly })
	ada := s.signIn("Ada")
	slow := strings.Repeat("```jungle\n"+strings.Repeat("{", 100)+"\n```\n", 34)
	for i := range 30 {
		text, _ := json.Marshal(fmt.Sprint(slow, i))
		posted := s.postJSON("/r/lobby/messages", fmt.Sprintf(`{"text":%s}`, text), ada.bearer(), fmt.Sprint("Fly-Client-IP: 198.51.100.", i))
		if posted.status != 201 {
			t.Fatalf("post: status %d, want 201", posted.status)
		}
	}
	first, second, other := "Fly-Client-IP: 203.0.113.1", "Fly-Client-IP: 203.0.113.2", "Fly-Client-IP: 203.0.113.3"
	for range 5 {
		if got := s.get("/r/lobby/messages?limit=30", other); got.status != 200 {
			t.Fatalf("without HTML: status %d, want 200", got.status)
		}
	}
	s.get("/r/lobby/messages?limit=30&html=true", first).expectRefusal(t, 429, protocol.RateLimited, "")
	if got := s.get("/r/lobby/messages?limit=1", first); got.status != 429 {
		t.Errorf("another request: status %d, want 429", got.status)
	}
	eventually(t, "the whole page is rendered", func() bool { return s.get("/r/lobby/messages?limit=30&html=true", first).status == 200 })
	if got := s.get("/r/lobby", second); got.status != 200 {
		t.Errorf("the page of another address: status %d, want 200", got.status)
	}
}

func TestPagesWaitForMemory(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	s := startOne(t)
	s.post(s.signIn("Ada"), "lobby", "hi")
	if !s.limits.Pages.TryAcquire(throttle.MaxPagesBytes) {
		t.Fatal("some memory is in use before the first page")
	}
	statuses := make(chan int, 2)
	for _, path := range []string{"/r/lobby/messages?limit=500&html=true", "/r/lobby"} {
		go func() { statuses <- s.get(path).status }()
	}
	if got := s.get("/rooms"); got.status != 200 {
		t.Errorf("a request without history: status %d, want 200", got.status)
	}
	select {
	case status := <-statuses:
		t.Errorf("without memory for pages: got status %d, want the page to wait", status)
	case <-time.After(50 * time.Millisecond):
	}
	s.limits.Pages.Release(throttle.MaxPagesBytes)
	for range 2 {
		if status := <-statuses; status != 200 {
			t.Errorf("after waiting: status %d, want 200", status)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s.limits.Pages.Acquire(ctx, throttle.MaxPagesBytes) != nil {
		t.Error("after the pages, some memory is still in use")
	}
	s.get("/r/lobby").expectRefusal(t, 429, protocol.RateLimited, "")
}
