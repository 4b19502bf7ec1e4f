package web

import (
	"burble/app/client"
	"burble/app/peer"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"burble/app/protocol"
	"burble/streams/redistest"
	"burble/views"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

func TestHealthAndReadiness(t *testing.T) {
	s := startOne(t)
	if got := s.get("/healthz"); got.status != 200 || got.body != "ok\n" {
		t.Errorf("healthz: %d %q", got.status, got.body)
	}
	if got := s.get("/readyz"); got.status != 200 || got.body != "ready\n" {
		t.Errorf("readyz: %d %q", got.status, got.body)
	}
	s.live.Drain(t.Context())
	if got := s.get("/healthz"); got.status != 200 {
		t.Errorf("healthz of a server that goes away: %d", got.status)
	}
	for _, path := range []string{"/readyz", "/r/lobby/events"} {
		got := s.get(path)
		if got.expectRefusal(t, 503, protocol.Unavailable, ""); got.header.Get("Retry-After") == "" {
			t.Errorf("%s is refused without Retry-After", path)
		}
	}
}

// Nothing limits who asks for it, so that it must cost Redis nothing to be asked often.
func TestReadinessIsAskedOfRedisOnceASecond(t *testing.T) {
	server := miniredis.RunT(t)
	s := startServer(t, &redis.UniversalOptions{Addrs: []string{server.Addr()}})
	began, before := time.Now(), server.CommandCount()
	for range 200 {
		if got := s.get("/readyz"); got.status != 200 {
			t.Fatalf("readyz: %d", got.status)
		}
	}
	// An XTRIM and an INFO each second, and what the server does by itself: it may only be
	// looking for the end of its 16 activity streams.
	if spent, most := server.CommandCount()-before, 40+6*int(time.Since(began)/time.Second+1); spent > most {
		t.Errorf("%d commands for 200 questions, want at most %d", spent, most)
	}
	server.Close()
	eventually(t, "Redis is away", func() bool { return s.get("/readyz").status == 503 })
}

// Nothing limits who asks for them either.
func TestMetricsAreGatheredOnceASecond(t *testing.T) {
	s := startOne(t)
	var gathered atomic.Int32
	s.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "gathered"}, func() float64 {
		return float64(gathered.Add(1))
	}))
	began := time.Now()
	for range 200 {
		got := s.get("/metrics")
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain; version=0.0.4") ||
			!strings.Contains(got.body, "\n# TYPE burble_live_reads gauge\nburble_live_reads 0\n") {
			t.Fatalf("metrics: %d, %q\n%s", got.status, got.header.Get("Content-Type"), got.body)
		}
	}
	if times, most := int(gathered.Load()), int(time.Since(began)/time.Second)+1; times > most {
		t.Errorf("gathered %d times for 200 questions, want at most %d", times, most)
	}
}

func TestFullRedisRefusesMessagesAndStillReads(t *testing.T) {
	redis := redistest.Start(t, "--maxmemory-policy", "noeviction")
	here, there := startTwo(t, redis.Redis())
	ada := here.signIn("Ada")
	socket := there.connect(ada)
	socket.follow("lobby", "")
	kept := here.post(ada, "lobby", "kept")
	database := redis.Client()
	defer database.Close()
	if err := database.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	here.postJSON("/r/lobby/messages", `{"text":"too many"}`, ada.bearer()).expectRefusal(t, 507, protocol.Full, "")
	key := client.NewKey()
	socket.sendf(`{"type":"send","room":"lobby","key":"%s","text":"too many"}`, key)
	if told := await[*client.Error](socket); told.Code != "full" || told.Key != key || told.Room != "lobby" {
		t.Errorf("refused: %+v", told)
	}
	if got := there.get("/readyz"); got.status != 503 || !strings.Contains(got.body, "full") {
		t.Errorf("readyz: %d %s", got.status, got.body)
	}
	eventually(t, "the metrics to count them", func() bool {
		text := here.get("/metrics").body
		return strings.Contains(text, `burble_entries_refused_total{code="full"} 1`) &&
			strings.Contains(text, `burble_entries_refused_total{code="unavailable"} 0`)
	})
	page := here.postForm("/r/lobby/messages", "text=too+many", ada.bearer(), "Accept: text/html")
	if page.status != 507 || !strings.Contains(page.body, "Chat storage is full") || !strings.Contains(page.body, ">too many</textarea>") {
		t.Errorf("the page: %d", page.status)
	}
	if got := there.history("lobby", ""); len(got.Entries) != 1 || got.Entries[0].ID != kept.ID {
		t.Errorf("reading: %+v", got)
	}
	for range 100 {
		here.postJSON("/r/lobby/messages", `{"text":"too many"}`, ada.bearer()).expectRefusal(t, 507, protocol.Full, "")
	}
	if lines := strings.Count(here.logs.String(), "msg=\"request failed\""); lines == 0 || lines > 50 {
		t.Errorf("%d lines of the log are of what was refused", lines)
	}
	if err := database.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	socket.appendf(`{"type":"send","room":"lobby","key":"%s","text":"too many"}`, key)
	eventually(t, "there is room again", func() bool { return there.get("/readyz").status == 200 })
}

func TestStaticFilesAreKeptForEver(t *testing.T) {
	s := startOne(t)
	types := map[string]string{"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "png": "image/png", "webmanifest": "application/manifest+json"}
	for _, name := range views.AssetNames() {
		got := s.get(views.StaticPath() + "/" + name)
		if got.status != 200 || got.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d, Cache-Control %q", name, got.status, got.header.Get("Cache-Control"))
		}
		if wanted := types[name[strings.LastIndex(name, ".")+1:]]; wanted == "" || !strings.HasPrefix(got.header.Get("Content-Type"), wanted) {
			t.Errorf("%s: Content-Type %q", name, got.header.Get("Content-Type"))
		}
		// Asked for by hand, gzip is not taken off by the client.
		zipped := s.get(views.StaticPath()+"/"+name, "Accept-Encoding: gzip")
		if zipped.header.Get("Content-Encoding") == "gzip" && len(zipped.body) >= len(got.body) {
			t.Errorf("%s: %d bytes, and %d with gzip", name, len(got.body), len(zipped.body))
		}
	}
	for _, path := range []string{"/nothing.js", "/js/", "/../views.go", "/js/%2e%2e/%2e%2e/views.go"} {
		got := s.get(views.StaticPath() + path)
		if got.status < 400 || strings.Contains(got.header.Get("Cache-Control"), "max-age") {
			t.Errorf("%s: %d, Cache-Control %q", path, got.status, got.header.Get("Cache-Control"))
		}
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	stored := s.post(ada, "lobby", "hi")
	upgrade := s.open()
	answers := map[string]http.Header{
		"home":         s.get("/").header,
		"room":         s.get("/r/lobby").header,
		"message":      s.get("/r/lobby/" + stored.ID).header,
		"static":       s.get(views.StaticPath() + "/logo.svg").header,
		"health":       s.get("/healthz").header,
		"readiness":    s.get("/readyz").header,
		"JSON":         s.get("/r/lobby/messages").header,
		"post":         s.postJSON("/r/lobby/messages", `{"text":"hi"}`, ada.bearer()).header,
		"form":         s.postForm("/r/lobby/messages", `text=hi`, ada.bearer()).header,
		"session":      s.postJSON("/session", `{"name":"Ada"}`).header,
		"events":       s.openStream("/r/lobby/events").Header,
		"upgrade":      upgrade.Header,
		"redirect":     s.get("/open?room=lobby").header,
		"not found":    s.get("/nothing").header,
		"error page":   s.get("/nothing", "Accept: text/html").header,
		"refused":      s.get("/r/lobby/messages?limit=x").header,
		"foreign":      s.get("/", "Origin: https://evil.example").header,
		"too large":    s.postJSON("/session", strings.Repeat("x", protocol.MaxFrame+1)).header,
		"long headers": s.get("/", tooLongHeader).header,
	}
	for name, header := range answers {
		for key, want := range map[string]string{
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "same-origin",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy":           "camera=(), microphone=(), geolocation=(), payment=()",
			"Strict-Transport-Security":    "", // it is not behind TLS
			"Access-Control-Allow-Origin":  "",
			"Server":                       "",
			"Access-Control-Allow-Headers": "",
		} {
			if got := header.Get(key); got != want {
				t.Errorf("%s: %s is %q, want %q", name, key, got, want)
			}
		}
		policy := header.Get("Content-Security-Policy")
		for _, part := range []string{
			"default-src 'self'", "script-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
			"form-action 'self'", "require-trusted-types-for 'script'", "trusted-types burble", "connect-src 'self' ws://" + s.host,
		} {
			if name != "long headers" && !strings.Contains(policy, part) { // whose Host was not read
				t.Errorf("%s: the policy lacks %q: %s", name, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy allows too much: %s", name, policy)
		}
	}
}

func TestPolicyIsNotWrittenByTheCaller(t *testing.T) {
	s := startOne(t)
	for _, host := range []string{"a; script-src *", "a,b", "x script-src"} {
		got := s.get("/", "Host: "+host)
		if policy := got.header.Get("Content-Security-Policy"); strings.Count(policy, "script-src") != 1 || strings.Contains(policy, "*") {
			t.Errorf("Host %q: %s", host, policy)
		}
	}
	forged := s.get("/r/lobby", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https")
	if strings.Contains(forged.body, "evil.example") || strings.Contains(fmt.Sprint(forged.header), "evil.example") || forged.header.Get("Strict-Transport-Security") != "" {
		t.Error("a header that anyone may send was believed")
	}
}

func TestBehindATrustedProxyTheBrowserSpeaksTLS(t *testing.T) {
	s := startOne(t, func(config *settings) { config.TrustedProxy = peer.ProxyHeroku })
	got := s.get("/r/lobby", "X-Forwarded-Proto: https", "Host: chat.example.org")
	if got.header.Get("Strict-Transport-Security") == "" || !strings.Contains(got.header.Get("Content-Security-Policy"), "wss://chat.example.org") {
		t.Errorf("headers: %v", got.header)
	}
	if !strings.Contains(got.body, "https://chat.example.org/r/lobby/events") {
		t.Error("the page shows another address than the browser's")
	}
}

func TestOnlyBrowsersGetPages(t *testing.T) {
	s := startOne(t)
	for accept, page := range map[string]bool{
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
		"application/json": false, "*/*": false, "": false, "text/event-stream": false,
		"TEXT/HTML": true, "text/html; charset=utf-8": true, "text/html;q=0": false, "application/json, text/html;q=0.5": false,
	} {
		got := s.get("/nothing", "Accept: "+accept)
		kind := got.header.Get("Content-Type")
		if strings.HasPrefix(kind, "text/html") != page || got.status != 404 || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("Accept %q: %d %s", accept, got.status, kind)
		}
		if strings.Contains(got.body, "Cannot GET") {
			t.Errorf("Accept %q: the library's words: %s", accept, got.body)
		}
	}
}

func TestPanicIsToldAsAnAccidentAndLogged(t *testing.T) {
	s := startOne(t)
	broken := s.startWithoutStore()
	for _, path := range []string{"/", "/r/lobby", "/r/lobby/messages", "/readyz"} {
		got := broken.get(path)
		if want := `{"error":{"code":"unavailable","message":"Something went wrong on our side."}}`; got.status != 500 || got.body != want {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		page := broken.get(path, "Accept: text/html")
		if page.status != 500 || !strings.Contains(page.body, "<title>Something went wrong on our side · Burble</title>") || strings.Contains(page.body, "nil pointer") {
			t.Errorf("%s, for a browser: %d %s", path, page.status, page.body)
		}
	}
	if got := broken.get("/healthz"); got.status != 200 {
		t.Errorf("healthz: %d", got.status)
	}
	if log := s.logs.String(); !strings.Contains(log, "nil pointer") || !strings.Contains(log, "stack=") {
		t.Errorf("the log does not say what happened: %s", log)
	}
}

// An error's page says in plain words what happened, in its title too, and leads on.
func TestErrorPagesAreForPeople(t *testing.T) {
	storage := miniredis.RunT(t)
	s := startServer(t, &redis.UniversalOptions{Addrs: []string{storage.Addr()}})
	cookie, origin, browser := "Cookie: burble="+s.signIn("Ada").Token, "Origin: http://"+s.host, "Accept: text/html"
	expect := func(got response, status int, title, words string, again bool) {
		t.Helper()
		if got.status != status || !strings.Contains(got.body, "<title>"+title+" · Burble</title>") || !strings.Contains(got.body, "<h1>"+title+"</h1>") {
			t.Errorf("%d, want %d and %q: %s", got.status, status, title, got.body)
		}
		if !strings.Contains(got.body, words) || !strings.Contains(got.body, `href="/"`) || strings.Contains(got.body, `href=""`) != again {
			t.Errorf("%s: not %q, or no way on (again: %v): %s", title, words, again, got.body)
		}
		for _, word := range []string{http.StatusText(status), "POST", "key."} {
			if strings.Contains(got.body, word) {
				t.Errorf("%s: %q is no word for people: %s", title, word, got.body)
			}
		}
	}
	expect(s.get("/nothing", browser), 404, "This page does not exist", "The address may be mistyped.", false)
	expect(s.get("/r/lobby/7", browser), 404, "There is no such message", "", false)
	expect(s.get("/r/No%20Room", browser), 400, "No room can have that name", "1 to 64 of a-z", false)
	expect(s.get("/r/lobby?at=noon", browser), 400, "That request was not understood", "must be a time", false)
	expect(s.postForm("/r/lobby/messages", "text=hi", browser, cookie, "Origin: https://evil.example"), 403, "Another site asked for this", "Nothing was changed.", false)
	expect(s.postForm("/r/lobby/messages", "text="+strings.Repeat("x", protocol.MaxFrame), browser, cookie, origin), 413, "That is too long", "what you wrote is still there", false)
	limited := startOne(t, func(config *settings) { config.RateAddress = 0.01 })
	limited.get("/")
	expect(limited.get("/", browser), 429, "Too many requests", "Try again later.", true)

	storage.Close()
	for _, path := range []string{"/", "/r/lobby"} {
		expect(s.get(path, browser), 503, "Chat storage is unavailable", "Your messages are safe.", true)
	}
	if got := s.get("/r/lobby/messages"); !strings.Contains(got.body, "Try again with the same key.") {
		t.Errorf("a program is not told what to do: %s", got.body)
	}
	unsent := s.postForm("/r/lobby/messages", "text=hello+%3Cthere%3E", browser, cookie, origin)
	expect(unsent, 503, "Chat storage is unavailable", ">hello &lt;there&gt;</textarea>", false)
	long := s.postForm("/r/lobby/messages", "text="+strings.Repeat("x", protocol.MaxText+1), browser, cookie, origin)
	expect(long, 413, "A message has at most 4000 characters; this one has 4001", ">"+strings.Repeat("x", protocol.MaxText+1)+"</textarea>", false)

	if err := storage.Restart(); err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(unsent.body, `name="key" type="hidden" value="`)
	key, _, _ = strings.Cut(key, `"`)
	for range 2 {
		eventually(t, "the message is stored", func() bool {
			return s.postForm("/r/lobby/messages", "text=hello+%3Cthere%3E&key="+key, browser, cookie, origin).status == 303
		})
	}
	eventually(t, "messages are read", func() bool { return s.get("/r/lobby/messages").status == 200 })
	if got := texts(s.history("lobby", "").Entries); !slices.Equal(got, []string{"hello <there>"}) {
		t.Errorf("sent three times under one key: %q", got)
	}
}
