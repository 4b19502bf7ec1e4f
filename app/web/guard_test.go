package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"burble/app/peer"
	"burble/app/protocol"
)

// sendRaw sends the bytes on a new connection and returns all responses. isClosed reports whether the
// server closed the connection after the first response. Otherwise, sendRaw makes another request, which
// ends the connection.
func (s *testServer) sendRaw(raw string) (responses []response, isClosed bool) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, raw); err != nil {
		s.t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	for {
		got, err := http.ReadResponse(reader, &http.Request{Method: strings.SplitN(raw, " ", 2)[0]})
		if err != nil {
			return responses, true
		}
		body, err := io.ReadAll(got.Body)
		if err != nil {
			s.t.Fatalf("%q: %v", raw, err)
		}
		responses = append(responses, response{got.StatusCode, got.Header, string(body)})
		if !got.Close && len(responses) == 1 {
			io.WriteString(conn, "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		} else if got.Close {
			return responses, len(responses) == 1
		}
	}
}

// ambiguousRequests are requests that RFC 9112 forbids, and, with status 200, similar ones that it allows.
// Without package httpguard, fasthttp would accept the forbidden ones, too.
var ambiguousRequests = map[string]struct {
	raw    string
	status int // the server closes the connection unless the status is 200
}{
	"plain":                         {"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", 200},
	"encoding and length":           {"GET /readyz HTTP/1.1\r\nHost: x\r\n" + lengthField + chunkedField + "\r\n" + smuggledRequest, 400},
	"length and encoding":           {"GET /readyz HTTP/1.1\r\nHost: x\r\n" + chunkedField + lengthField + "\r\n" + smuggledRequest, 400},
	"a body that never arrives":     {"GET /readyz HTTP/1.1\r\nHost: x\r\n" + lengthField + chunkedField + "Expect: 100-continue\r\n\r\n", 400},
	"encoding in lower case":        {"GET /readyz HTTP/1.1\r\nhost: x\r\n" + strings.ToLower(lengthField+chunkedField) + "\r\n" + smuggledRequest, 400},
	"chunked, then identity":        {"GET /readyz HTTP/1.1\r\nHost: x\r\n" + chunkedField + "Transfer-Encoding: identity\r\n\r\n" + smuggledRequest, 400},
	"identity":                      {"GET /readyz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n" + smuggledRequest, 400},
	"identity and a length":         {"GET /readyz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n", 400},
	"chunked twice":                 {"GET /readyz HTTP/1.1\r\nHost: x\r\n" + chunkedField + chunkedField + "\r\n" + smuggledRequest, 400},
	"chunked twice in one field":    {"GET /readyz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n" + smuggledRequest, 400},
	"unknown encoding":              {"GET /readyz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n" + smuggledRequest, 400},
	"no encoding":                   {"GET /readyz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n" + smuggledRequest, 400},
	"encoding on HTTP/1.0":          {"GET /readyz HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n" + chunkedField + "\r\n" + smuggledRequest, 400},
	"encoding in a folded field":    {"GET /readyz HTTP/1.1\r\nHost: x\r\nX-Folded: a\r\n Transfer-Encoding: chunked\r\n\r\n", 400},
	"chunked":                       {"GET /readyz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200},
	"two lengths":                   {"GET /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
	"a list of lengths":             {"GET /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 0\r\n\r\n", 400},
	"a length with a sign":          {"GET /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n", 400},
	"no Host":                       {"GET /readyz HTTP/1.1\r\n\r\n", 400},
	"no Host, HTTP/1.0":             {"GET /readyz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200},
	"two Hosts":                     {"GET /readyz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},
	"two Hosts, HTTP/1.0":           {"GET /readyz HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400},
	"empty Host":                    {"GET /readyz HTTP/1.1\r\nHost:\r\n\r\n", 400},
	"Host with a path":              {"GET /readyz HTTP/1.1\r\nHost: x/y\r\n\r\n", 400},
	"Host with a user":              {"GET /readyz HTTP/1.1\r\nHost: a@x\r\n\r\n", 400},
	"Host with a space":             {"GET /readyz HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
	"a list of Hosts":               {"GET /readyz HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
	"Host with a scheme":            {"GET /readyz HTTP/1.1\r\nHost: http://x\r\n\r\n", 400},
	"Host with an invalid port":     {"GET /readyz HTTP/1.1\r\nHost: x:99999\r\n\r\n", 400},
	"Host with IPv6":                {"GET /readyz HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200},
	"Host with invalid IPv6":        {"GET /readyz HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
	"Host with IPv6, no brackets":   {"GET /readyz HTTP/1.1\r\nHost: ::1\r\n\r\n", 400},
	"Host that is not ASCII":        {"GET /readyz HTTP/1.1\r\nHost: b\u00fccher.example\r\n\r\n", 400},
	"space before the colon":        {"GET /readyz HTTP/1.1\r\nHost : x\r\n\r\n", 400},
	"URL as target":                 {"GET http://x/readyz HTTP/1.1\r\nHost: y\r\n\r\n", 200},
	"URL without a host":            {"GET http:///readyz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	"URL with a user":               {"GET http://a@x/readyz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	"URL of another scheme":         {"GET file:///readyz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	"target without a slash":        {"GET readyz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	"target with a space":           {"GET /readyz x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	"HTTP/1.2":                      {"GET /readyz HTTP/1.2\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", 200},
	"HTTP/9.9":                      {"GET /readyz HTTP/9.9\r\nHost: x\r\n\r\n", 505},
	"HTTP/2.0":                      {"GET /readyz HTTP/2.0\r\nHost: x\r\n\r\n", 505},
	"HTTP/0.9":                      {"GET /readyz HTTP/0.9\r\nHost: x\r\n\r\n", 505},
	"start of an HTTP/2 connection": {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	"Expect on HTTP/1.0":            {"POST /session HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"name\":\"Ada\"}", 200},
}

const (
	lengthField, chunkedField = "Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n"
	smuggledRequest           = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
)

func TestRequestsThatViolateRFC9112AreRefused(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for name, test := range ambiguousRequests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := s.with(t)
			responses, isClosed := s.sendRaw(test.raw)
			if len(responses) == 0 {
				t.Fatal("the server sent no response")
			}
			got := responses[0]
			if test.status == 200 {
				if got.status != 200 || isClosed {
					t.Errorf("status %d, closed %v, want 200 on an open connection: %s", got.status, isClosed, got.body)
				}
				return
			}
			got.expectRefusal(t, test.status, protocol.BadFrame, "")
			if !isClosed {
				t.Errorf("the server sent %d responses, want 1 and a closed connection", len(responses))
			}
			if options := got.header.Get("X-Content-Type-Options"); options != "nosniff" {
				t.Errorf("X-Content-Type-Options = %q, want nosniff", options)
			}
		})
	}
}

func TestUnknownMethodsGetOurErrors(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	for _, method := range []string{"BREW", "get", "PROPFIND", "X-Y"} {
		for _, path := range []string{"/", "/r/lobby/messages", "/nothing", "/healthz"} {
			got := s.request(method, path, "")
			got.expectRefusal(t, 501, protocol.BadFrame, "")
			if got.header.Get("Content-Security-Policy") == "" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: headers %v, want a Content-Security-Policy and no-store", method, path, got.header)
			}
		}
		if page := s.request(method, "/", "", "Accept: text/html"); page.status != 501 || !strings.Contains(page.body, "<h1>") {
			t.Errorf("%s for a browser: status %d, want 501 and a page: %s", method, page.status, page.body)
		}
	}
}

func TestLargeHeadersAreRefusedInTheFormThatTheClientAccepts(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	if got := s.get("/readyz", "X-Long: "+strings.Repeat("x", 15000)); got.status != 200 {
		t.Errorf("15 KB: status %d, want 200: %s", got.status, got.body)
	}
	for _, size := range []int{17 << 10, 40 << 10, 600 << 10} {
		long := "Cookie: " + strings.Repeat("x", size)
		for _, headers := range [][]string{{"Accept: text/html", long}, {long, "Accept: text/html"}, {long}} {
			request := "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n"
			responses, isClosed := s.sendRaw(request)
			if len(responses) != 1 || !isClosed || responses[0].status != 431 {
				t.Fatalf("%d bytes: got %+v, want one response with status 431, and a closed connection", size, responses)
			}
			isPage := strings.HasPrefix(responses[0].header.Get("Content-Type"), "text/html")
			if isPage != (len(headers) == 2) || isPage != strings.Contains(responses[0].body, "<h1>Your browser sent too many cookies</h1>") {
				t.Errorf("%d bytes, %d headers: want a page for a browser, otherwise JSON; got %s", size, len(headers), responses[0].body)
			}
		}
	}
}

// An attacker may make a host name resolve to an address in the user's network (DNS rebinding). A page
// from that host name then has the same origin as the server at that address.
func TestHostsOtherThanTheServersAreRefused(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) {
		set.Hosts, set.Origins = []string{"chat.example.org", ".example.net"}, []string{"https://other.example:8443"}
	})
	_, port, _ := strings.Cut(s.host, ":")
	for host, isAllowed := range map[string]bool{
		s.host: true, "localhost:" + port: true, "127.0.0.1": true, "[::1]:8080": true, "chat.example.org": true, "Chat.Example.ORG:443": true,
		"a.example.net": true, "other.example": true,
		"evil.example": false, "evil.example:" + port: false, "chat.example.org.evil.example": false, "example.net": false, "127.0.0.1.evil.example": false,
	} {
		wantStatus, page := map[bool]int{true: 200, false: 421}[isAllowed], "Accept: text/html"
		for _, path := range []string{"/", "/r/lobby", "/r/lobby/messages", "/rooms", "/metrics"} {
			got := s.get(path, "Host: "+host)
			if got.status != wantStatus {
				t.Errorf("%s at %s: status %d, want %d: %s", path, host, got.status, wantStatus, got.body)
			}
			if !isAllowed {
				got.expectRefusal(t, 421, protocol.NotAllowed, "host")
			}
		}
		if got := s.postJSON("/session", `{"name":"Eve"}`, "Host: "+host, "Origin: http://"+host); got.status != wantStatus {
			t.Errorf("session at %s: status %d, want %d", host, got.status, wantStatus)
		}
		if _, refused := s.dial("Host: "+host, "Origin: http://"+host); (refused == nil) != isAllowed {
			t.Errorf("socket at %s: error %v, want accepted: %v", host, refused, isAllowed)
		}
		if got := s.get("/", "Host: "+host, page); !isAllowed && !strings.Contains(got.body, "HOSTS="+strings.Split(host, ":")[0]) {
			t.Errorf("the page at %s does not show what to configure: %s", host, got.body)
		}
		for _, probe := range []string{"/healthz", "/readyz"} {
			if got := s.get(probe, "Host: "+host); got.status != 200 {
				t.Errorf("%s at %s: status %d, want 200", probe, host, got.status)
			}
		}
	}
	if logged := strings.Count(s.logs.String(), "add it to HOSTS"); logged != 1 {
		t.Errorf("logged %d times, want once:\n%s", logged, s.logs)
	}
	responses, _ := s.sendRaw("GET http://evil.example/rooms HTTP/1.1\r\nHost: chat.example.org\r\nConnection: close\r\n\r\n")
	if len(responses) != 1 || responses[0].status != 421 {
		t.Errorf("a URL with another host: got %+v, want status 421", responses)
	}
}

func TestPlainRequestsAreRedirectedToTLS(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) {
		set.TrustedProxy, set.Hosts = peer.ProxyForwarded, []string{"chat.example.org"}
	})
	direct := startOne(t, func(set *settings) { set.Hosts = []string{"chat.example.org"} })
	const plain, host = "X-Forwarded-Proto: http", "Host: chat.example.org"
	for path, location := range map[string]string{
		"/": "https://chat.example.org/", "/r/lobby?at=2026-03-01": "https://chat.example.org/r/lobby?at=2026-03-01",
		"//evil.example/": "https://chat.example.org//evil.example/", "/rooms": "https://chat.example.org/rooms",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			responses, _ := s.sendRaw(fmt.Sprintf("%s %s HTTP/1.1\r\n%s:80\r\n%s\r\nConnection: close\r\n\r\n", method, path, host, plain))
			if len(responses) != 1 || responses[0].status != 308 || responses[0].header.Get("Location") != location {
				t.Errorf("%s %s: got %+v, want status 308 and Location %q", method, path, responses, location)
			}
		}
	}
	for name, got := range map[string]response{
		"https":             s.get("/rooms", host, "X-Forwarded-Proto: https"),
		"unknown":           s.get("/rooms", host),
		"forged":            s.get("/rooms", host, plain, "X-Forwarded-Proto: https"),
		"no trusted proxy":  direct.get("/rooms", host, plain),
		"localhost":         s.get("/rooms", "Host: localhost", plain),
		"IP address":        s.get("/rooms", plain),
		"health check":      s.get("/healthz", host, plain),
		"readiness":         s.get("/readyz", host, plain),
		"a post":            s.postJSON("/session", `{"name":"Ada"}`, host, plain),
		"name of a machine": s.get("/rooms", "Host: burble:8080", plain),
		"wss, from Traefik": s.get("/rooms", host, "X-Forwarded-Proto: wss"),
	} {
		if got.status != 200 {
			t.Errorf("%s: status %d, want 200: %v", name, got.status, got.header)
		}
	}
}

func TestMetricsTokenIsRequired(t *testing.T) {
	t.Parallel()
	s := startOne(t, func(set *settings) { set.MetricsToken = "0123456789abcdef" })
	for header, status := range map[string]int{
		"Authorization: Bearer 0123456789abcdef": 200, "Authorization: bearer 0123456789abcdef": 200,
		"Authorization: Bearer 0123456789abcde": 401, "Authorization: Bearer ": 401, "Authorization: Basic 0123456789abcdef": 401, "X-None: x": 401,
		s.signIn("Ada").bearer(): 401,
	} {
		got := s.get("/metrics", header)
		if got.status != status || strings.Contains(got.body, "go_goroutines") != (status == 200) {
			t.Errorf("%s: status %d, want %d, and metrics only with 200", header, got.status, status)
		}
		if status == 401 {
			got.expectRefusal(t, 401, protocol.NotAllowed, "authorization")
			if got.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("WWW-Authenticate = %q, want Bearer", got.header.Get("WWW-Authenticate"))
			}
		}
	}
}

func TestEscapedLettersInPathsAreLetters(t *testing.T) {
	t.Parallel()
	s := startOne(t)
	s.post(s.signIn("Ada"), "lobby", "hello")
	for _, path := range []string{"/r/lobb%79", "/%72/lobby", "/r/l%6Fbb%79/%6Dessages", "/r/lobby/messages"} {
		if got := s.get(path); got.status != 200 || !strings.Contains(got.body, "hello") {
			t.Errorf("%s: status %d, want 200 and the message: %s", path, got.status, got.body)
		}
	}
	for path, status := range map[string]int{"/r/lobby%2Fmessages": 400, "/r/a%2525": 400, "/r/%4Cobby": 301, "/r/lobby?at=%6Eoon": 400, "/r/%2E%2E/rooms": 404} {
		if got := s.get(path, "Accept: application/json"); got.status != status {
			t.Errorf("%s: %d, want %d", path, got.status, status)
		}
	}
}
