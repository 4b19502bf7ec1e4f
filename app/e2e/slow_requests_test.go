//go:build unix && !race

package e2e

import (
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
	redistest.SkipUnlessLong(t)
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
	if grown > 64<<10 {
		t.Errorf("a slow request costs %d bytes of memory, want at most 64 KiB", grown)
	}
	began := time.Now()
	slow.Wait()
	t.Logf("all timed out within %v", time.Since(began).Round(time.Second))
}
