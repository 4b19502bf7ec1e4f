//go:build unix

package e2e

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"
)

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// If a request is not valid HTTP, the server answers it or closes the connection, and logs nothing.
func TestGarbageRequestsAreNotLogged(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	const lastLine = "this server has no owner" // of the start
	apptest.Eventually(t, time.Minute, "the server to log its last line", func() bool { return strings.Contains(server.Output(), lastLine) })
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
