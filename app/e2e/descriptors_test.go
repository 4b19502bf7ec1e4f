//go:build linux

package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"burble/app/apptest"
	"burble/streams/redistest"

	"golang.org/x/sys/unix"
)

// openIdle opens connections to the server that never finish their request.
func openIdle(t *testing.T, server *apptest.Server, count int) (closeAll func()) {
	t.Helper()
	var idle []net.Conn
	closeAll = func() {
		for _, conn := range idle {
			conn.Close()
		}
	}
	t.Cleanup(closeAll)
	for range count {
		conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "GET / HTTP/1.1\r\nX-Slow: ")
		idle = append(idle, conn)
	}
	return closeAll
}

// expectOneLineASecond checks that, since began, the server logged text at least once and at most once a
// second.
func expectOneLineASecond(t *testing.T, server *apptest.Server, began time.Time, text string) {
	t.Helper()
	most := int(time.Since(began)/time.Second) + 1
	if lines := strings.Count(server.Output(), text); lines < 1 || lines > most {
		t.Errorf("%q was logged %d times, want 1 to %d", text, lines, most)
	}
}

// With 256 file descriptors and 300 connections, the server serves as many connections as it can, answers
// probes on a few more, and refuses the rest.
func TestConnectionsAreLimitedByFileDescriptors(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	server.MaxOpenFiles = 256
	server.Restart()
	server.AwaitReady()
	token, began := server.SignIn("Ada"), time.Now()
	member := join(t.Context(), t, "lobby", token, server)
	if _, err := member.send(t.Context(), "hello"); err != nil {
		t.Fatal(err)
	}
	closeIdle := openIdle(t, server, 300)
	for range 20 {
		if status, _ := server.Get("/healthz"); status != http.StatusOK {
			t.Errorf("/healthz: status %d, want 200", status)
		}
	}
	if status, _ := server.Get("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: status %d, want 200", status)
	}
	if status, body := server.Get("/rooms"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"unavailable"`) {
		t.Errorf("/rooms: status %d, body %s; want 503 and the error unavailable", status, body)
	}
	if _, err := member.send(t.Context(), "still here"); err != nil {
		t.Errorf("send on an open connection: %v", err)
	}
	member.await(time.Minute, 2)
	expectOneLineASecond(t, server, began, "too many open connections")
	closeIdle()
	apptest.Eventually(t, time.Minute, "other requests to be served", func() bool {
		status, _ := server.Get("/rooms")
		return status == http.StatusOK
	})
	if server.HasExited() {
		t.Error("the server exited")
	}
}

// A server cannot accept connections while its file limit is too low, or while something else uses up its
// descriptors.
func TestServerSurvivesWithoutFileDescriptors(t *testing.T) {
	t.Parallel()
	server := apptest.Start(t, redistest.Start(t))
	began := time.Now()
	if err := unix.Prlimit(server.PID(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 100, Max: 256}, nil); err != nil {
		t.Fatal(err)
	}
	closeIdle := openIdle(t, server, 150)
	apptest.Eventually(t, time.Minute, "the server to run out", func() bool {
		return strings.Contains(server.Output(), "too many open files")
	})
	closeIdle()
	if status, _ := server.Get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: status %d, want 200", status)
	}
	expectOneLineASecond(t, server, began, "too many open files")
}
