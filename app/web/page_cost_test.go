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
			t.Fatalf("post: %d", posted.status)
		}
	}
	first, second, other := "Fly-Client-IP: 203.0.113.1", "Fly-Client-IP: 203.0.113.2", "Fly-Client-IP: 203.0.113.3"
	for range 5 {
		if got := s.get("/r/lobby/messages?limit=30", other); got.status != 200 {
			t.Fatalf("without HTML: %d", got.status)
		}
	}
	s.get("/r/lobby/messages?limit=30&html=true", first).expectRefusal(t, 429, protocol.RateLimited, "")
	if got := s.get("/r/lobby/messages?limit=1", first); got.status != 429 {
		t.Errorf("another request: %d", got.status)
	}
	eventually(t, "the whole page is rendered", func() bool { return s.get("/r/lobby/messages?limit=30&html=true", first).status == 200 })
	if got := s.get("/r/lobby", second); got.status != 200 {
		t.Errorf("the page of another address: %d", got.status)
	}
}

func TestPagesWaitForMemory(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	s.post(s.signIn("Ada"), "lobby", "hi")
	if !s.limits.Pages.TryAcquire(throttle.MaxPagesBytes) {
		t.Fatal("the memory is taken already")
	}
	answers := make(chan int, 2)
	for _, path := range []string{"/r/lobby/messages?limit=500&html=true", "/r/lobby"} {
		go func() { answers <- s.get(path).status }()
	}
	if got := s.get("/rooms"); got.status != 200 {
		t.Errorf("a request without history: %d", got.status)
	}
	select {
	case status := <-answers:
		t.Errorf("a page did not wait: %d", status)
	case <-time.After(50 * time.Millisecond):
	}
	s.limits.Pages.Release(throttle.MaxPagesBytes)
	for range 2 {
		if status := <-answers; status != 200 {
			t.Errorf("after waiting: %d", status)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s.limits.Pages.Acquire(ctx, throttle.MaxPagesBytes) != nil {
		t.Error("not all memory was released")
	}
	s.get("/r/lobby").expectRefusal(t, 429, protocol.RateLimited, "")
}
