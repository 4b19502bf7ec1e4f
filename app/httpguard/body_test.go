package httpguard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
)

// newBody returns a body of the size, and the client's end of its connection.
func newBody(t *testing.T, size int) (*Body, net.Conn) {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close(); server.Close() })
	conn := &Conn{Conn: server}
	conn.BeginBody()
	var header fasthttp.RequestHeader
	if err := header.Read(bufio.NewReader(strings.NewReader(fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size)))); err != nil {
		t.Fatal(err)
	}
	body, refusal := conn.ReadBody(&header)
	if refusal != nil {
		t.Fatal(refusal)
	}
	return body, client
}

// A client must send MinRate bytes per second, but may pause, and has as long as 25 MB need at that rate.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	const size = 25 << 20
	for name, test := range map[string]struct {
		chunk int
		pause time.Duration
		ok    bool
	}{
		"EDGE":                     {2 * MinRate, 2 * time.Second, true},
		"pauses, but fast":         {1 << 20, 29 * time.Second, true},
		"half the rate":            {MinRate, 2 * time.Second, false},
		"a byte before each limit": {1, 29 * time.Second, false},
		"a stall":                  {1 << 20, 31 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body, client := newBody(t, size)
				var sending sync.WaitGroup
				sending.Go(func() {
					for left := size; left > 0; {
						n, err := client.Write(make([]byte, min(test.chunk, left)))
						if err != nil {
							return
						}
						left -= n
						time.Sleep(test.pause)
					}
				})
				began := time.Now()
				read, err := io.Copy(io.Discard, body)
				took := time.Since(began)
				if test.ok && (err != nil || read != size) || !test.ok && !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("read %d bytes in %v: %v; want success: %v", read, took, err, test.ok)
				}
				if longest := RateGrace + time.Duration(size/MinRate)*time.Second; took > longest {
					t.Errorf("took %v, want at most %v", took, longest)
				}
				client.Close()
				sending.Wait()
			})
		})
	}
}

func TestCanceledBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body, client := newBody(t, 10)
		go client.Write([]byte("hello"))
		if _, err := io.ReadFull(body, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Second)
			body.Cancel()
		}()
		if n, err := body.Read(make([]byte, 5)); n != 0 || !errors.Is(err, ErrCanceled) {
			t.Errorf("while reading: %d, %v; want ErrCanceled", n, err)
		}
		if _, err := body.Read(make([]byte, 5)); !errors.Is(err, ErrCanceled) {
			t.Errorf("afterwards: %v, want ErrCanceled", err)
		}
	})
}
