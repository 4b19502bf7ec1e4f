package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

// These tests run the README's configurations of nginx, Caddy and systemd. Their helpers:
//
//	readmeBlock   returns the README's first code block in a language
//	replaceAll    replaces texts, and fails the test if one is missing
//	startProxy    runs a proxy until the test ends
//	proxyClient   returns a client that accepts any certificate and follows no redirect
//	proxied       is Burble behind a proxy; its methods send requests, as a client does

func readmeBlock(t *testing.T, language string) string {
	t.Helper()
	return match(t, "README.md", "(?s)```"+language+"\n(.*?)```")[0]
}

func replaceAll(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%q is not in the text", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

func startProxy(t *testing.T, program string, args ...string) {
	t.Helper()
	command := exec.Command(program, args...)
	command.Stdout, command.Stderr = t.Output(), t.Output()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
}

func proxyClient(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestReadmeNginx(t *testing.T) {
	t.Parallel()
	nginx, dir := apptest.FindProgram(t, "nginx"), t.TempDir()
	expectProxyWorks(t, func(burble string, port int) {
		writeSelfSigned(t, dir)
		site := replaceAll(t, readmeBlock(t, "nginx"),
			"127.0.0.1:8080", burble, "listen 443 ssl", fmt.Sprintf("listen 127.0.0.1:%d ssl", port),
			"/etc/letsencrypt/live/chat.example.org/fullchain.pem", filepath.Join(dir, "cert.pem"),
			"/etc/letsencrypt/live/chat.example.org/privkey.pem", filepath.Join(dir, "key.pem"))
		temporary := ""
		for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			temporary += fmt.Sprintf("%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
		}
		text := fmt.Sprintf("daemon off;\nmaster_process off;\nerror_log stderr;\npid %s;\nevents {}\nhttp {\naccess_log off;\n%s%s}\n",
			filepath.Join(dir, "pid"), temporary, site)
		file := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		startProxy(t, nginx, "-p", dir, "-e", "stderr", "-c", file)
	})
}

func TestReadmeCaddy(t *testing.T) {
	t.Parallel()
	caddy, dir := apptest.FindProgram(t, "caddy"), t.TempDir()
	expectProxyWorks(t, func(burble string, port int) {
		writeSelfSigned(t, dir)
		site := replaceAll(t, readmeBlock(t, "caddyfile"), "127.0.0.1:8080", burble,
			"chat.example.org {", fmt.Sprintf("https://127.0.0.1:%d {\n\ttls %s %s", port, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")))
		file := filepath.Join(dir, "Caddyfile")
		if err := os.WriteFile(file, []byte("{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system "+dir+"\n}\n"+site), 0o600); err != nil {
			t.Fatal(err)
		}
		startProxy(t, caddy, "run", "--config", file, "--adapter", "caddyfile")
	})
}

// expectProxyWorks starts Burble behind a proxy, as described in the README. It checks that a browser can
// sign in, open a socket and read live, and that headers cannot be forged.
func expectProxyWorks(t *testing.T, start func(burble string, port int)) {
	t.Helper()
	config, err := ParseConfig(nil, env("PORT", "0", "LISTEN", "127.0.0.1", "TRUSTED_PROXY", "forwarded", "RATE_ADDRESS", "10",
		"REDIS_URL", "unix://"+redistest.Start(t).Addr))
	if err != nil {
		t.Fatal(err)
	}
	burble := strings.TrimPrefix(startRun(t, config), "http://")
	port := redistest.FreePort(t)
	start(burble, port)
	p := &proxied{t: t, origin: "https://127.0.0.1:" + strconv.Itoa(port), client: proxyClient(t)}
	p.awaitReady()
	cookie := p.signIn()
	p.expectSocket(cookie)
	for _, accept := range []string{"text/event-stream", "application/x-ndjson", "text/plain"} {
		p.expectLiveRead(cookie, accept)
	}
	p.expectAddressLimit()
}

// proxied is Burble behind a proxy.
type proxied struct {
	t      *testing.T
	origin string
	client *http.Client
}

func (p *proxied) request(method, path, body string, headers ...string) *http.Response {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	p.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, method, p.origin+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := p.client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { response.Body.Close() })
	return response
}

func (p *proxied) awaitReady() {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		response, err := p.client.Get(p.origin + "/healthz")
		if err == nil {
			response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the proxy did not respond within a minute: %v", err)
		}
	}
}

func (p *proxied) signIn() (cookie string) {
	p.t.Helper()
	form := url.Values{"name": {"Ada"}, "next": {"/r/lobby"}}.Encode()
	response := p.request("POST", "/session", form, "Content-Type", "application/x-www-form-urlencoded", "Origin", p.origin)
	cookies := response.Cookies()
	if response.StatusCode != http.StatusSeeOther || len(cookies) != 1 || cookies[0].Name != "__Host-burble" {
		p.t.Fatalf("POST /session = %s with cookies %v, want status 303 and __Host-burble", response.Status, cookies)
	}
	return cookies[0].Name + "=" + cookies[0].Value
}

func (p *proxied) expectSocket(cookie string) {
	p.t.Helper()
	response := p.request("GET", "/ws", "", "Origin", p.origin, "Cookie", cookie, "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol", "burble.v1")
	hello := make([]byte, 16)
	_, err := io.ReadFull(response.Body, hello)
	if response.StatusCode != http.StatusSwitchingProtocols || err != nil || !strings.Contains(string(hello), `{"type"`) {
		p.t.Errorf("GET /ws = %s, then %q, %v; want status 101, then a frame", response.Status, hello, err)
	}
}

// expectLiveRead checks that the proxy passes on a message while the response is still open.
func (p *proxied) expectLiveRead(cookie, accept string) {
	p.t.Helper()
	events := bufio.NewReader(p.request("GET", "/r/lobby/events", "", "Accept", accept).Body)
	body, _ := json.Marshal(map[string]string{"text": "hello to " + accept})
	posted := p.request("POST", "/r/lobby/messages", string(body), "Content-Type", "application/json", "Origin", p.origin, "Cookie", cookie)
	if posted.StatusCode != http.StatusCreated {
		p.t.Fatalf("POST /r/lobby/messages = %s, want status 201", posted.Status)
	}
	for {
		line, err := events.ReadString('\n')
		if err != nil {
			p.t.Fatalf("read the message as %s: %v", accept, err)
		}
		if strings.Contains(line, "hello to "+accept) {
			return
		}
	}
}

// expectAddressLimit checks that a client cannot evade the limit of its address with forged headers.
func (p *proxied) expectAddressLimit() {
	p.t.Helper()
	for i := range 200 {
		response := p.request("GET", "/rooms", "", "X-Forwarded-For", "10.0.0."+strconv.Itoa(i))
		if response.StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	p.t.Error("a client with forged X-Forwarded-For headers exceeded the limit of its address")
}

func TestReadmeSystemd(t *testing.T) {
	t.Parallel()
	analyze := apptest.FindProgram(t, "systemd-analyze")
	unit := readmeBlock(t, "ini")
	for _, line := range regexp.MustCompile(`(?m)^Environment=(.*)$`).FindAllStringSubmatch(unit, -1) {
		var pairs []string
		for assignment := range strings.FieldsSeq(line[1]) {
			name, value, _ := strings.Cut(assignment, "=")
			pairs = append(pairs, name, value)
		}
		if _, err := ParseConfig(nil, env(pairs...)); err != nil {
			t.Error(err)
		}
	}
	file := filepath.Join(t.TempDir(), "burble.service")
	if err := os.WriteFile(file, []byte(replaceAll(t, unit, "/usr/local/bin/burble", os.Args[0])), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", file).CombinedOutput()
	if err != nil || strings.Contains(string(out), "burble.service:") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
