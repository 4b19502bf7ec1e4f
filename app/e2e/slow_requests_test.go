//go:build unix

package e2e

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

// The server disconnects a client that sends a request a byte at a time or never finishes it. Until
// then, the client costs little memory and does not block other clients.
func TestCostOfSlowRequestsUntilTheyTimeOut(t *testing.T) {
	apptest.SkipUnlessLong(t)
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	const each = 250
	before := server.ResidentBytes()
	var slow sync.WaitGroup
	for _, head := range []string{
		"",
		"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{\"name\":\"",
		"POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
	} {
		for range each {
			conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL(), "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, head)
			slow.Go(func() {
				began := time.Now()
				go func() { // until the server closes the connection
					for _, err := io.WriteString(conn, ""); err == nil; time.Sleep(time.Second) {
						_, err = io.WriteString(conn, "x")
					}
				}()
				conn.SetReadDeadline(began.Add(2 * time.Minute))
				if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
					t.Errorf("after %v the server is still waiting for the rest of %q, want it to close the connection", time.Since(began), head)
				}
			})
		}
	}
	if status, _ := server.Get("/"); status != http.StatusOK {
		t.Errorf("GET /: status %d, want 200", status)
	}
	grown := (server.ResidentBytes() - before) / (4 * each)
	t.Logf("%d slow requests: %d bytes of memory each", 4*each, grown)
	if grown > 64<<10 && !apptest.Race() {
		t.Errorf("a slow request costs %d bytes of memory, want at most 64 KiB", grown)
	}
	began := time.Now()
	slow.Wait()
	t.Logf("all timed out within %v", time.Since(began).Round(time.Second))
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// If a request is not valid HTTP, the server answers it or closes the connection, and logs nothing.
func TestGarbageRequestsAreNotLogged(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	before := len(server.Output())
	for i, garbage := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET\r\n\r\n", "\r\n\r\n\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"GET /\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX-\x1b[2J: \x07\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "level=ERROR msg=forged\r\n\r\n",
		"GET / HTTP/1.1\r\n level=ERROR msg=forged\r\n\r\n", "GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", "*1\r\n$4\r\nPING\r\n", strings.Repeat("\x00", 5000),
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(time.Minute))
		io.WriteString(conn, garbage)
		conn.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(conn)
		if isTimeout(err) || len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 ") {
			t.Errorf("request %d: got %.100q, %v; want a response, or the end of the connection", i, answer, err)
		}
		conn.Close()
	}
	if status, _ := server.Get("/healthz"); status != http.StatusOK {
		t.Errorf("GET /healthz afterwards: status %d, want 200", status)
	}
	if logged := server.Output()[before:]; logged != "" {
		t.Errorf("the server logged %.500q, want nothing", logged)
	}
}
