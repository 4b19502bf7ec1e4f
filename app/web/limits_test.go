package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"burble/app/client"
	"burble/app/peer"
	"burble/app/protocol"
	"burble/streams/redistest"
)

func TestMessagesOfOneUserAreLimited(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.RateMessages = 5 })
	ada, bob := s.signIn("Ada"), s.signIn("Bob")
	c := s.connect(ada)
	for range 20 { // the burst
		c.post("lobby", "hi")
	}
	key := client.NewKey()
	isStored := func() bool {
		c.sendf(`{"type":"send","room":"lobby","key":"%s","text":"one more"}`, key)
		for {
			switch frame := c.nextFrame("a reply").Frame.(type) {
			case *client.Stored:
				return true
			case *client.Error:
				if frame.Code != "rate_limited" || frame.RetryAfterMS < 1 || frame.RetryAfterMS > 200 || frame.Key != key || frame.Room != "lobby" {
					t.Fatalf("refused: %+v, want rate_limited with a delay of up to 200 ms, the room and the key", frame)
				}
				return false
			}
		}
	}
	eventually(t, "a frame is refused", func() bool { return !isStored() })
	// The limit applies to the user on every surface, and to no other user.
	var refused response
	eventually(t, "a POST is refused", func() bool {
		refused = s.postJSON("/r/lobby/messages", `{"text":"hi"}`, ada.bearer())
		return refused.status != 201
	})
	if refused.expectRefusal(t, 429, protocol.RateLimited, ""); refused.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After = %q, want 1", refused.header.Get("Retry-After"))
	}
	s.post(bob, "lobby", "hi")
	c.follow("lobby", "")
	var page response
	eventually(t, "a form is refused", func() bool {
		page = s.postForm("/r/lobby/messages", "text=keep+this", ada.bearer(), "Accept: text/html")
		return page.status != 303
	})
	if page.status != 429 || !strings.Contains(page.body, ">keep this</textarea>") {
		t.Errorf("refused form: status %d, want 429 and a form with the text: %s", page.status, page.body)
	}
	eventually(t, "the limit ends", isStored)
}

func TestRequestsOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.RateAddress, set.TrustedProxy = 10, peer.ProxyFly })
	first, other := "Fly-Client-IP: 203.0.113.1", "Fly-Client-IP: 203.0.113.2"
	for range 40 {
		if got := s.get("/r/lobby/messages", first); got.status != 200 {
			t.Fatalf("within the burst: status %d, want 200", got.status)
		}
	}
	var refused response
	eventually(t, "a request is refused", func() bool {
		refused = s.get("/r/lobby/messages", first)
		return refused.status != 200
	})
	if refused.expectRefusal(t, 429, protocol.RateLimited, ""); refused.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After = %q, want 1", refused.header.Get("Retry-After"))
	}
	var page response
	eventually(t, "a form is refused", func() bool {
		page = s.postForm("/session", "name=Ada", first, "Accept: text/html")
		return page.status != 303
	})
	if page.status != 429 || strings.Contains(page.body, "What’s your name?") {
		t.Errorf("refused form: status %d, want 429 and a short error page: %s", page.status, page.body)
	}
	if got := s.get("/r/lobby/messages", other); got.status != 200 {
		t.Errorf("another address: status %d, want 200", got.status)
	}
	if got := s.get("/healthz", first); got.status != 200 {
		t.Errorf("healthz: status %d, want 200", got.status)
	}
	eventually(t, "the limit ends", func() bool { return s.get("/r/lobby/messages", first).status == 200 })
}

// A client must not evade its limit by sending forged addresses.
func TestForgedAddressesShareOneLimit(t *testing.T) {
	redistest.SkipUnlessLong(t)
	t.Parallel()
	for proxy, forged := range map[string]string{
		peer.ProxyNone:   "Fly-Client-IP: %[1]s|X-Forwarded-For: %[1]s|X-Real-IP: %[1]s|Forwarded: for=%[1]s|CF-Connecting-IP: %[1]s|X-Client-IP: %[1]s",
		peer.ProxyHeroku: "Fly-Client-IP: %[1]s|X-Forwarded-For: %[1]s|X-Forwarded-For: %[1]s, 198.51.100.7|X-Real-IP: %[1]s",
		peer.ProxyFly:    "X-Forwarded-For: %[1]s|Fly-Client-IP: %[1]s|Fly-Client-IP: 198.51.100.7|X-Real-IP: %[1]s",
	} {
		s := startOne(t, func(set *settings) {
			set.RateAddress, set.RateConnections, set.TrustedProxy = 10, 1, proxy
		})
		for _, limit := range []struct {
			path        string
			rate, burst int
		}{{"/r/lobby/messages", 10, 40}, {"/r/lobby/events", 1, 20}} {
			began, accepted := time.Now(), 0
			for i := range 100 {
				headers := strings.Split(fmt.Sprintf(forged, fmt.Sprint("203.0.113.", i)), "|")
				if s.request("HEAD", limit.path, "", headers...).status == 200 {
					accepted++
				}
			}
			maximum := limit.burst + 1 + limit.rate*int(time.Since(began)/time.Second+1)
			if accepted < limit.burst || accepted > maximum {
				t.Errorf("%s, proxy %s: %d of 100 were accepted, want %d to %d", limit.path, proxy, accepted, limit.burst, maximum)
			}
		}
	}
}

func TestLargePagesCountAsSeveralRequests(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.RateAddress, set.TrustedProxy = 10, peer.ProxyFly })
	for limit, want := range map[int]int{1: 40, 50: 40, 51: 20, 500: 4} { // of a burst of 40
		address := fmt.Sprint("Fly-Client-IP: 203.0.113.", limit%256)
		began, accepted := time.Now(), 0
		for s.get(fmt.Sprint("/r/lobby/messages?limit=", limit), address).status == 200 {
			accepted++
		}
		if maximum := want + int(time.Since(began).Seconds()*10) + 1; accepted < want || accepted > maximum {
			t.Errorf("%d pages of %d entries were accepted, want %d to %d", accepted, limit, want, maximum)
		}
	}
}

// An older release stored entries that a page must read to find its messages, because the server cannot skip them.
// Such a page costs as much as a larger one.
func TestPagesAreChargedForTheEntriesTheyRead(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := startServer(t, server.Redis(), func(set *settings) { set.RateAddress, set.TrustedProxy = 10, peer.ProxyFly })
	s.post(s.signIn("Ada"), "lobby", "the only message")
	database := server.Client()
	defer database.Close()
	room := database.Keys(t.Context(), "*room:lobby").Val()[0]
	const fill = `for i = 1, 3000 do redis.call('XADD', KEYS[1], '*', 'kind', 'react', 'n', i + 1) end`
	database.Eval(t.Context(), fill, []string{room})
	for _, path := range []string{"/r/lobby/messages?limit=1", "/r/lobby"} {
		address := fmt.Sprint("Fly-Client-IP: 203.0.113.", len(path))
		began, accepted := time.Now(), 0
		for s.get(path, address).status == 200 {
			accepted++
		}
		if maximum := 4 + int(time.Since(began).Seconds()/2); accepted < 2 || accepted > maximum { // the burst is 40, and each page costs 20
			t.Errorf("%s: %d pages were accepted, want 2 to %d", path, accepted, maximum)
		}
	}
}

func TestFramesOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	for name, frame := range map[string]string{
		"valid":   `{"type":"unfollow","room":"lobby"}`,
		"invalid": `{"type":"shout"}`,
	} {
		s := startOne(t, func(set *settings) { set.RateAddress = 10 })
		c := s.connect(anonymous)
		for range 60 { // the burst is 40
			c.send(frame)
		}
		c.sync()
		refused := 0
		for _, got := range c.waiting {
			if reply, ok := got.Frame.(*client.Error); ok && reply.Code == "rate_limited" && reply.RetryAfterMS > 0 && reply.RetryAfterMS <= 100 {
				refused++
			}
		}
		if refused < 1 || refused > 20 {
			t.Errorf("%s frames: %d of 60 were refused, want 1 to 20", name, refused)
		}
		for range 300 { // the server may close the connection before all are sent
			c.WriteMessage(client.OpText, []byte(frame))
		}
		if code := c.awaitClose(); code != 1008 {
			t.Errorf("flood of %s frames: closed with %d, want 1008", name, code)
		}
	}
}

func TestConnectionsOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.RateConnections, set.TrustedProxy = 3, peer.ProxyFly })
	first, sameSubnet, other := "Fly-Client-IP: 2001:db8::1", "Fly-Client-IP: 2001:db8::2", "Fly-Client-IP: 2001:db8:0:1::1"
	for i := range 60 { // the burst
		if i%2 == 0 {
			s.openStream("/r/lobby/events", first)
		} else if c, _ := s.dial(sameSubnet); c == nil {
			t.Fatal("a connection within the burst was refused")
		}
	}
	var refused *client.Error
	eventually(t, "a connection is refused", func() bool {
		_, refused = s.dial(first)
		return refused != nil
	})
	if refused.Status != 429 || refused.Header.Get("Retry-After") != "1" {
		t.Errorf("a socket above the limit: got %v, want status 429 and Retry-After 1", refused)
	}
	for _, page := range []string{"/r/events", "/"} {
		if got := s.get(page, first); got.status != 200 {
			t.Errorf("page %s: status %d, want 200", page, got.status)
		}
	}
	if c, _ := s.dial(other); c == nil {
		t.Error("another /64 is refused")
	}
	eventually(t, "the limit ends", func() bool { c, _ := s.dial(first); return c != nil })
}

func TestZeroRatesDisableTheLimits(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	c := s.connect(s.signIn("Ada"))
	for range 500 {
		c.sendf(`{"type":"send","room":"lobby","key":"%s","text":"hi"}`, client.NewKey())
	}
	for range 500 {
		await[*client.Stored](c)
	}
}

func TestStaticFilesOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.RateAddress, set.TrustedProxy = 0.5, peer.ProxyFly })
	refused := false
	for i := 0; i < 1000 && !refused; i++ { // the burst is 40, but the limit refills while a slow machine sends
		refused = s.get("/sw.js", "Fly-Client-IP: 203.0.113.1").status == 429
	}
	if !refused {
		t.Error("no request was refused")
	}
	for path, address := range map[string]string{"/healthz": "203.0.113.1", "/sw.js": "203.0.113.2", "/": "203.0.113.1"} {
		if got := s.get(path, "Fly-Client-IP: "+address); got.status != 200 {
			t.Errorf("%s: status %d, want 200", path, got.status)
		}
	}
}
