package web

import (
	"strings"
	"testing"
	"time"

	"burble/app/client"
	"burble/app/protocol"
	"burble/streams/conns"
	"burble/streams/redistest"

	"github.com/alicebob/miniredis/v2"
)

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	if got := s.get("/healthz"); got.status != 200 || got.body != "ok\nversion: v1.2.3\n" {
		t.Errorf("healthz: status %d, body %q; want 200 and the version", got.status, got.body)
	}
	if got := s.get("/readyz"); got.status != 200 || got.body != "ready\n" {
		t.Errorf("readyz: status %d, body %q; want 200 and ready", got.status, got.body)
	}
	s.live.Drain(t.Context())
	if got := s.get("/healthz"); got.status != 200 {
		t.Errorf("healthz while draining: status %d, want 200", got.status)
	}
	got := s.get("/readyz")
	if got.expectRefusal(t, 503, protocol.Unavailable, ""); got.header.Get("Retry-After") == "" {
		t.Error("readyz fails without Retry-After")
	}
}

// Requests for /readyz are not rate-limited, so they must cost Redis next to nothing.
func TestReadinessChecksRedisAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	database := miniredis.RunT(t)
	s := startServer(t, &conns.Address{Addrs: []string{database.Addr()}})
	began, before := time.Now(), database.CommandCount()
	for range 200 {
		if got := s.get("/readyz"); got.status != 200 {
			t.Fatalf("readyz: status %d, want 200", got.status)
		}
	}
	// A check sends XTRIM and two INFOs, at most once a second. The server itself also sends commands: it
	// may still be looking for the ends of its 16 activity streams.
	if spent, maximum := database.CommandCount()-before, 40+6*int(time.Since(began)/time.Second+1); spent > maximum {
		t.Errorf("%d commands for 200 requests, want at most %d", spent, maximum)
	}
	database.Close()
	eventually(t, "Redis is away", func() bool { return s.get("/readyz").status == 503 })
}

// A load balancer must not drop every server because of a Redis setting.
func TestEvictingRedisIsReadyWithAWarning(t *testing.T) {
	t.Parallel()
	s := startServer(t, redistest.Start(t, "--maxmemory-policy", "allkeys-lru").Redis())
	if got := s.get("/readyz"); got.status != 200 || !strings.HasPrefix(got.body, "ready\nwarning: ") || !strings.Contains(got.body, "allkeys-lru") {
		t.Errorf("readyz: status %d, body %q; want 200 and a warning", got.status, got.body)
	}
	if got := s.get("/metrics"); !strings.Contains(got.body, "\nburble_redis_evicted_keys_total 0\n") {
		t.Error("the metrics do not count evicted keys")
	}
}

func TestFullRedisRefusesMessagesAndServesReads(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--maxmemory-policy", "noeviction")
	here, there := startTwo(t, server.Redis())
	ada := here.signIn("Ada")
	c := there.connect(ada)
	c.follow("lobby", "")
	kept := here.post(ada, "lobby", "kept")
	database := server.Client()
	defer database.Close()
	if err := database.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	here.postJSON("/r/lobby/messages", `{"text":"refused"}`, ada.bearer()).expectRefusal(t, 507, protocol.Full, "")
	key := client.NewKey()
	c.sendf(`{"type":"send","room":"lobby","key":"%s","text":"retried"}`, key)
	if refused := await[*client.Error](c); refused.Code != "full" || refused.Key != key || refused.Room != "lobby" {
		t.Errorf("refused: %+v, want full with the room and the key", refused)
	}
	if got := there.get("/readyz"); got.status != 503 || !strings.Contains(got.body, "full") {
		t.Errorf("readyz: status %d, body %s; want 503 and the reason", got.status, got.body)
	}
	eventually(t, "the metrics count the refused message", func() bool {
		text := here.get("/metrics").body
		return strings.Contains(text, `burble_entries_refused_total{code="full"} 1`) &&
			strings.Contains(text, `burble_entries_refused_total{code="unavailable"} 0`)
	})
	page := here.postForm("/r/lobby/messages", "text=my+text", ada.bearer(), "Accept: text/html")
	if page.status != 507 || !strings.Contains(page.body, "Chat storage is full") || !strings.Contains(page.body, ">my text</textarea>") {
		t.Errorf("page: status %d, want 507, the reason, and a form with the text: %s", page.status, page.body)
	}
	if got := there.history("lobby", ""); len(got.Entries) != 1 || got.Entries[0].ID != kept.ID {
		t.Errorf("history: %+v, want only the entry %s", got, kept.ID)
	}
	for range 100 {
		here.postJSON("/r/lobby/messages", `{"text":"refused"}`, ada.bearer()).expectRefusal(t, 507, protocol.Full, "")
	}
	if lines := strings.Count(here.logs.String(), `msg="request failed"`); lines == 0 || lines > 50 {
		t.Errorf("the log has %d lines about 100 refused requests, want 1 to 50", lines)
	}
	if err := database.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	c.appendf(`{"type":"send","room":"lobby","key":"%s","text":"retried"}`, key)
	eventually(t, "the server is ready again", func() bool { return there.get("/readyz").status == 200 })
}
