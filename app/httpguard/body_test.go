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

// newBody returns a body of the given size and the client's end of its connection.
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

// However the network splits a request with a body, fasthttp buffers no byte of the body, and the next request follows
// it.
func TestBodiesBeginWhereHeadersEnd(t *testing.T) {
	t.Parallel()
	const (
		head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n"
		body = "a\r\n\r\nGET /b"
		next = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
	)
	const raw = head + body + next
	for first := range len(raw) {
		for second := first; second < len(raw); second += 7 {
			client, server := net.Pipe()
			go func() {
				for _, piece := range []string{raw[:first], raw[first:second], raw[second:]} {
					if piece != "" { // a read of a pipe returns at most one write
						io.WriteString(client, piece)
					}
				}
			}()
			conn := &Conn{Conn: server}
			buffer := bufio.NewReaderSize(conn, MaxHeader)
			var header fasthttp.RequestHeader
			if err := header.Read(buffer); err != nil {
				t.Fatal(err)
			}
			conn.BeginBody()
			conn.Forget()
			read, refusal := conn.ReadBody(&header)
			if refusal != nil || buffer.Buffered() > 0 {
				t.Fatalf("cut at %d and %d: %v, %d bytes of the body are in the buffer, want none", first, second, refusal, buffer.Buffered())
			}
			if got, err := io.ReadAll(read); err != nil || string(got) != body {
				t.Fatalf("cut at %d and %d: the body is %q (%v), want %q", first, second, got, err, body)
			}
			if err := header.Read(buffer); err != nil || string(header.RequestURI()) != "/next" {
				t.Fatalf("cut at %d and %d: the next request is for %q (%v), want /next", first, second, header.RequestURI(), err)
			}
			client.Close()
			server.Close()
		}
	}
}

// A client may pause, but must send MinRate bytes per second on average.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	const size = 25 << 20
	for name, test := range map[string]struct {
		chunk int
		pause time.Duration
		want  bool // whether the body is accepted
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
				if test.want && (err != nil || read != size) || !test.want && !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("read %d bytes in %v: %v; want success: %v", read, took, err, test.want)
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

// Bytes after a header are not lost if the caller reuses its buffer or passes a smaller one.
func TestConnKeepsBytesAfterHeader(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	defer client.Close()
	const head, rest = "GET / HTTP/1.1\r\n\r\n", "a\r\n\r\nbcdef\r\n\r\nghi"
	go func() {
		io.WriteString(client, head+rest)
		client.Close()
	}()
	conn, got := &Conn{Conn: server}, ""
	for size := 64; ; size = 3 {
		into := make([]byte, size)
		n, err := conn.Read(into)
		got += string(into[:n])
		clear(into)
		if err != nil {
			break
		}
	}
	if got != head+rest {
		t.Errorf("read %q, want %q", got, head+rest)
	}
}
