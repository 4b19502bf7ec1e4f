package blobs_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"burble/app/blobs"
)

// A server that stops reading or sending must not block an upload, or the job that removes files, indefinitely.
func TestStallingS3(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(conn net.Conn){
		"accepts nothing": func(net.Conn) {},
		"accepts a part":  func(conn net.Conn) { io.CopyN(io.Discard, conn, 64<<10) },
		"sends a part": func(conn net.Conn) {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nLast-Modified: Mon, 30 Nov 2026 00:00:00 GMT\r\n\r\n<")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					t.Cleanup(func() { conn.Close() })
					go serve(conn)
				}
			}()
			options := blobs.S3Options{Endpoint: "http://" + listener.Addr().String(), Bucket: "files", KeyID: "key", Secret: "secret"}
			store, err := blobs.OpenWithStallTimeout(options, 50*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() {
				if name == "sends a part" {
					for _, err := range store.List(t.Context(), "") {
						ended <- err
						return
					}
					ended <- nil
					return
				}
				large := make([]byte, 32<<20) // more than the kernel keeps
				_, err := store.Put(t.Context(), bytes.NewReader(large), int64(len(large)))
				ended <- err
			}()
			select {
			case err := <-ended:
				if err == nil {
					t.Error("a request to a stalled server succeeded")
				}
			case <-time.After(time.Minute):
				t.Fatal("the request has not ended after a minute")
			}
		})
	}
}
