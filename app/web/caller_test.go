package web

import (
	"burble/app/client"
	"burble/app/identity"
	"burble/app/peer"
	"burble/app/protocol"
	"fmt"
	"github.com/gofiber/fiber/v2"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestSessionGivesATokenAndACookie(t *testing.T) {
	here, there := startTwo(t, newMiniredis(t))
	got := here.postJSON("/session", `{"name":"  Ada   Lovelace "}`)
	var guest testUser
	got.decode(t, &guest)
	if got.status != 200 || guest.User.Name != "Ada Lovelace" || uuid.Validate(guest.User.ID) != nil || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("session: %d %s", got.status, got.body)
	}
	cookie := sessionCookie(t, got)
	if cookie.Value != guest.Token || cookie.Path != "/" || !cookie.HttpOnly || cookie.Secure ||
		cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge != 180*24*3600 || cookie.Domain != "" {
		t.Errorf("cookie: %s", cookie.Raw)
	}
	// The other server knows both.
	own := "Origin: http://" + there.host
	for _, headers := range [][]string{{guest.bearer()}, {"Cookie: burble=" + guest.Token, own}} {
		if posted := there.postJSON("/r/lobby/messages", `{"text":"hi"}`, headers...); posted.status != 201 {
			t.Errorf("%v: %d %s", headers, posted.status, posted.body)
		}
	}
}

func sessionCookie(t *testing.T, got response) *http.Cookie {
	t.Helper()
	cookies := (&http.Response{Header: got.header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != "burble" {
		t.Fatalf("cookies: %v", cookies)
	}
	return cookies[0]
}

func TestSessionRenamesWhoHasOne(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	for name, header := range map[string]string{"token": ada.bearer(), "cookie": "Cookie: burble=" + ada.Token} {
		got := s.postJSON("/session", `{"name":"Countess"}`, header, "Origin: http://"+s.host)
		var renamed testUser
		got.decode(t, &renamed)
		if renamed.User.ID != ada.User.ID || renamed.User.Name != "Countess" || renamed.Token == ada.Token {
			t.Errorf("by %s: %s", name, got.body)
		}
	}
	if other := s.signIn("Ada"); other.User.ID == ada.User.ID {
		t.Error("two guests of one name are one")
	}
}

func TestPagesRenewACookieThatIsNotNew(t *testing.T) {
	s := startOne(t)
	ada, _ := identity.NewUser("Ada")
	const day = 24 * time.Hour
	for _, test := range []struct {
		path    string
		age     time.Duration
		headers []string
		renewed bool
	}{
		{"/", 31 * day, nil, true},
		{"/r/lobby", 179 * day, nil, true},
		{"/r/lobby", 29 * day, nil, false},
		{"/r/lobby", 181 * day, nil, false}, // a stranger
		{"/r/lobby", 31 * day, []string{s.signIn("Bob").bearer()}, false},
		{"/r/lobby/messages", 31 * day, nil, false},
	} {
		cookie := "Cookie: burble=" + s.tokens.Sign(ada, time.Now().Add(-test.age))
		got := s.get(test.path, append(test.headers, cookie, "Accept: text/html")...)
		if renewed := got.header.Get("Set-Cookie") != ""; renewed != test.renewed {
			t.Errorf("%s after %v, with %q: renewed is %v", test.path, test.age, test.headers, renewed)
		} else if renewed {
			guest, expiry, err := s.tokens.Verify(sessionCookie(t, got).Value, time.Now())
			if err != nil || guest != ada || time.Until(expiry) < identity.TokenLife-time.Minute {
				t.Errorf("%s: %v until %v, %v", test.path, guest, expiry, err)
			}
		}
	}
}

func TestSessionFormLeadsBack(t *testing.T) {
	s := startOne(t)
	for next, want := range map[string]string{
		"":                               "/",
		"%2Fr%2Flobby":                   "/r/lobby",
		"%2Fr%2Flobby%3Fat%3D2026-03-01": "/r/lobby?at=2026-03-01",
		"https%3A%2F%2Fevil.example":     "/",
		"%2F%2Fevil.example":             "/",
		"%2F%5Cevil.example":             "/",
		"%5C%5Cevil.example":             "/",
		"r%2Flobby":                      "/",
		"%2F%0d%0aSet-Cookie%3A+a%3Db":   "/",
		"%2F%09%2Fevil.example":          "/",
		"javascript%3Aalert(1)":          "/",
		"%20%2F%2Fevil.example":          "/",
	} {
		got := s.postForm("/session", "name=Ada&next="+next)
		if got.status != http.StatusSeeOther || got.header.Get("Location") != want {
			t.Errorf("next %q: %d, Location %q, want %q", next, got.status, got.header.Get("Location"), want)
		}
		sessionCookie(t, got)
	}
	page := s.postForm("/session", "name=+&next=%2Fr%2Flobby", "Accept: text/html")
	if page.status != 400 || !strings.Contains(page.body, "name must not be empty") || page.header.Get("Set-Cookie") != "" {
		t.Errorf("refused: %d", page.status)
	}
}

func TestRefusedNameComesBackWhereItWasTyped(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	long := strings.Repeat("name", 12)
	for next, want := range map[string]string{
		"":                                       "/",
		"%2F":                                    "/",
		"%2Fr%2Flobby":                           "/r/lobby",
		"%2Fr%2Flobby%2F1732281600000-0":         "/r/lobby",
		"%2Fr%2Flobby%3Fat%3D2026-03-01":         "/r/lobby",
		"%2Fr%2FNo+Room":                         "/",
		"%2Frooms":                               "/",
		"%2F%2Fevil.example%2Fr%2Flobby":         "/",
		"https%3A%2F%2Fevil.example%2Fr%2Flobby": "/",
		"%2Fr%2F..%2F%22%3E%3Cscript%3E":         "/",
	} {
		for who, header := range map[string]string{"a stranger": "X-Nobody: 1", "Ada": "Cookie: burble=" + ada.Token} {
			got := s.postForm("/session", "name="+long+"&next="+next, "Accept: text/html", "Origin: http://"+s.host, header)
			if got.status != 400 || !strings.Contains(got.body, "at most 40 characters") || got.header.Get("Location") != "" {
				t.Errorf("next %q, %s: %d, Location %q", next, who, got.status, got.header.Get("Location"))
			}
			if who == "Ada" && want != "/" {
				continue // A room asks her for no name: nothing there sends this.
			}
			if !strings.Contains(got.body, `value="`+long+`"`) || !strings.Contains(got.body, `name="next" type="hidden" value="`+want+`"`) {
				t.Errorf("next %q, %s: what was typed, or the way to %s, is lost", next, who, want)
			}
		}
	}
	sent := s.postForm("/r/lobby/messages", "text=hello+from+nobody", "Accept: text/html")
	if sent.status != 403 || !strings.Contains(sent.body, "hello from nobody") || !strings.Contains(sent.body, `value="/r/lobby"`) {
		t.Errorf("a message of nobody: %d, and what was typed is lost", sent.status)
	}
	found := s.get("/open?room=My+%3Croom%3E", "Accept: text/html")
	if found.status != 400 || !strings.Contains(found.body, `value="My &lt;room&gt;"`) {
		t.Errorf("a room of no such name: %d, and what was typed is lost", found.status)
	}
}

func TestConfiguredOriginsMayConnect(t *testing.T) {
	s := startOne(t, func(config *settings) { config.Origins = []string{"https://chat.example.org"} })
	ada := s.signIn("Ada")
	for origin, allowed := range map[string]bool{
		"https://chat.example.org": true, "http://" + s.host: true,
		"https://chat.example.org.evil.example": false, "http://chat.example.org": false,
	} {
		c, _ := s.dial("Origin: "+origin, "Cookie: burble="+ada.Token)
		if (c != nil) != allowed {
			t.Errorf("%s: socket let in: %v", origin, c != nil)
		}
		posted := s.postJSON("/r/lobby/messages", `{"text":"hi"}`, "Origin: "+origin, ada.bearer())
		if (posted.status == 201) != allowed {
			t.Errorf("%s: post: %d", origin, posted.status)
		}
	}
}

// quick are limits that are soon reached, and soon over.
func quick(config *settings) {
	config.RateMessages, config.RateAddress, config.RateConnections = 5, 0, 0
}

func TestMessagesOfOneUserAreLimited(t *testing.T) {
	s := startOne(t, quick)
	ada, bob := s.signIn("Ada"), s.signIn("Bob")
	c := s.connect(ada)
	for range 20 { // the burst
		c.post("lobby", "hi")
	}
	key := client.NewKey()
	try := func() (stored bool) {
		c.sendf(`{"type":"send","room":"lobby","key":"%s","text":"one more"}`, key)
		for {
			switch frame := c.nextFrame("an answer").Frame.(type) {
			case *client.Stored:
				return true
			case *client.Error:
				if frame.Code != "rate_limited" || frame.RetryAfterMS < 1 || frame.RetryAfterMS > 200 || frame.Key != key || frame.Room != "lobby" {
					t.Fatalf("refused: %+v", frame)
				}
				return false
			}
		}
	}
	eventually(t, "there is a limit", func() bool { return !try() })
	// The limit is the user's, wherever they speak, and nobody else's.
	var got response
	eventually(t, "there is a limit", func() bool {
		got = s.postJSON("/r/lobby/messages", `{"text":"hi"}`, ada.bearer())
		return got.status != 201
	})
	if got.expectRefusal(t, 429, protocol.RateLimited, ""); got.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %q", got.header.Get("Retry-After"))
	}
	s.post(bob, "lobby", "hi")
	c.follow("lobby", "")
	var page response
	eventually(t, "the page tells it", func() bool {
		page = s.postForm("/r/lobby/messages", "text=keep+this", ada.bearer(), "Accept: text/html")
		return page.status != 303
	})
	if page.status != 429 || !strings.Contains(page.body, ">keep this</textarea>") {
		t.Errorf("the page: %d", page.status)
	}
	eventually(t, "the limit is over", try)
}

func TestRequestsOfOneAddressAreLimited(t *testing.T) {
	s := startOne(t, func(config *settings) { config.RateAddress = 10; config.TrustedProxy = peer.ProxyFly })
	first, other := "Fly-Client-IP: 203.0.113.1", "Fly-Client-IP: 203.0.113.2"
	for range 40 {
		if got := s.get("/r/lobby/messages", first); got.status != 200 {
			t.Fatalf("within the burst: %d", got.status)
		}
	}
	var refused response
	eventually(t, "there is a limit", func() bool { refused = s.get("/r/lobby/messages", first); return refused.status != 200 })
	if refused.expectRefusal(t, 429, protocol.RateLimited, ""); refused.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %q", refused.header.Get("Retry-After"))
	}
	var page response
	eventually(t, "forms are counted", func() bool {
		page = s.postForm("/session", "name=Ada", first, "Accept: text/html")
		return page.status != 303
	})
	if page.status != 429 || strings.Contains(page.body, "What’s your name?") {
		t.Errorf("a refused form cost a page: %d", page.status)
	}
	if got := s.get("/r/lobby/messages", other); got.status != 200 {
		t.Errorf("another address: %d", got.status)
	}
	if got := s.get("/healthz", first); got.status != 200 {
		t.Errorf("healthz: %d", got.status)
	}
	eventually(t, "the limit is over", func() bool { return s.get("/r/lobby/messages", first).status == 200 })
}

// Whoever makes up where they come from is limited as what they are.
func TestForgedAddressesShareOneLimit(t *testing.T) {
	for proxy, forged := range map[string]string{
		peer.ProxyNone:   "Fly-Client-IP: %[1]s|X-Forwarded-For: %[1]s|X-Real-IP: %[1]s|Forwarded: for=%[1]s|CF-Connecting-IP: %[1]s|X-Client-IP: %[1]s",
		peer.ProxyHeroku: "Fly-Client-IP: %[1]s|X-Forwarded-For: %[1]s|X-Forwarded-For: %[1]s, 198.51.100.7|X-Real-IP: %[1]s",
		peer.ProxyFly:    "X-Forwarded-For: %[1]s|Fly-Client-IP: %[1]s|Fly-Client-IP: 198.51.100.7|X-Real-IP: %[1]s",
	} {
		s := startOne(t, func(config *settings) {
			config.RateAddress, config.RateConnections, config.TrustedProxy = 10, 1, proxy
		})
		for path, rate := range map[string]int{"/r/lobby/messages": 10, "/r/lobby/events": 1} {
			began, answered := time.Now(), 0
			for i := range 100 {
				headers := strings.Split(fmt.Sprintf(forged, fmt.Sprint("203.0.113.", i)), "|")
				if s.request("HEAD", path, "", headers...).status == 200 {
					answered++
				}
			}
			burst := map[int]int{10: 40, 1: 20}[rate]
			if most := burst + 1 + rate*int(time.Since(began)/time.Second+1); answered < burst || answered > most {
				t.Errorf("%s behind %s: %d of 100 were answered, want %d to %d", path, proxy, answered, burst, most)
			}
		}
	}
}

func TestLargePagesCountForMore(t *testing.T) {
	s := startOne(t, func(config *settings) { config.RateAddress, config.TrustedProxy = 10, peer.ProxyFly })
	for limit, want := range map[int]int{1: 40, 50: 40, 51: 20, 500: 4} { // of a burst of 40
		header := fmt.Sprint("Fly-Client-IP: 203.0.113.", limit%256)
		began, got := time.Now(), 0
		for s.get(fmt.Sprint("/r/lobby/messages?limit=", limit), header).status == 200 {
			got++
		}
		if more := want + int(time.Since(began).Seconds()*10) + 1; got < want || got > more {
			t.Errorf("%d pages of %d entries, want %d to %d", got, limit, want, more)
		}
	}
}

func TestFramesOfOneAddressAreLimitedGoodOrBad(t *testing.T) {
	for name, frame := range map[string]string{
		"good": `{"type":"unfollow","room":"lobby"}`,
		"bad":  `{"type":"shout"}`,
	} {
		s := startOne(t, func(config *settings) { config.RateAddress = 10 })
		c := s.connect(anonymous)
		limited := 0
		for range 60 {
			c.send(frame)
		}
		c.sync()
		for _, told := range c.waiting {
			if told, ok := told.Frame.(*client.Error); ok && told.Code == "rate_limited" && told.RetryAfterMS > 0 && told.RetryAfterMS <= 100 {
				limited++
			}
		}
		if limited < 1 || limited > 20 { // of 60, in bursts of 40
			t.Errorf("%s frames: %d were refused", name, limited)
		}
		for range 300 { // it may be closed before the last
			c.WriteMessage(client.OpText, []byte(frame))
		}
		if code := c.awaitClose(); code != 1008 {
			t.Errorf("%s frames without end: closed with %d, want 1008", name, code)
		}
	}
}

func TestConnectionsOfOneAddressAreLimited(t *testing.T) {
	s := startOne(t, func(config *settings) { config.RateConnections = 3; config.TrustedProxy = peer.ProxyFly })
	first, other := "Fly-Client-IP: 2001:db8::1", "Fly-Client-IP: 2001:db8:0:1::1"
	for i := range 60 {
		if i%2 == 0 {
			s.openStream("/r/lobby/events", first)
		} else if c, _ := s.dial("Fly-Client-IP: 2001:db8::2"); c == nil { // the same subscriber
			t.Fatal("refused within the burst")
		}
	}
	var refused *client.Error
	eventually(t, "there is a limit", func() (ok bool) {
		var c *testSocket
		c, refused = s.dial(first)
		return c == nil
	})
	if refused.Status != 429 || refused.Header.Get("Retry-After") != "1" {
		t.Errorf("one socket too many: %v", refused)
	}
	for _, page := range []string{"/r/events", "/"} {
		if got := s.get(page, first); got.status != 200 {
			t.Errorf("the page %s: %d", page, got.status)
		}
	}
	if c, _ := s.dial(other); c == nil {
		t.Error("another subscriber is refused")
	}
	eventually(t, "the limit is over", func() bool { c, _ := s.dial(first); return c != nil })
}

func TestLimitsOfZeroAreNone(t *testing.T) {
	s := startOne(t)
	c := s.connect(s.signIn("Ada"))
	for range 500 {
		c.sendf(`{"type":"send","room":"lobby","key":"%s","text":"hi"}`, client.NewKey())
	}
	for range 500 {
		await[*client.Stored](c)
	}
}
func TestLastHeaderOfARepeatedOne(t *testing.T) {
	app := fiber.New()
	app.Get("/", func(c *fiber.Ctx) error {
		return c.SendString(peer.Address(lastHeader(c), "10.0.0.1:1", peer.ProxyHeroku) + lastHeader(c)("X-None"))
	})
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Add("X-Forwarded-For", "6.6.6.6")
	request.Header.Add("x-forwarded-for", "7.7.7.7, 1.2.3.4")
	response, err := app.Test(request)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(response.Body); string(body) != "1.2.3.4" {
		t.Errorf("got %s", body)
	}
}
