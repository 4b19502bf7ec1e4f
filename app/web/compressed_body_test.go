package web

import (
	"bytes"
	"compress/gzip"
	"runtime"
	"testing"

	"burble/app/client"
	"burble/app/protocol"
	"burble/app/ws"
)

// The server refuses compressed input without decompressing it. The test measures the allocations of
// the whole process, so it is not parallel.
func TestCompressionBombsAreNotDecompressed(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	var bomb bytes.Buffer
	writer := gzip.NewWriter(&bomb)
	for range 30 {
		writer.Write(make([]byte, 1<<20))
	}
	writer.Close()
	if bomb.Len() > protocol.MaxFrame {
		t.Fatalf("the bomb has %d bytes and would be refused for its size", bomb.Len())
	}
	for _, path := range []string{"/r/lobby/messages", "/session"} {
		for _, contentType := range []string{jsonType, formType, "text/plain"} {
			for _, encoding := range []string{"gzip", "deflate", "br", "x-gzip, gzip"} {
				allocated := allocations(func() {
					got := s.request("POST", path, bomb.String(), ada.bearer(), "Content-Type: "+contentType, "Content-Encoding: "+encoding, "Accept: text/html")
					if got.status != 415 {
						t.Errorf("%s of %s to %s: status %d, want 415", encoding, contentType, path, got.status)
					}
				})
				if allocated > 20<<20 {
					t.Errorf("%s of %s to %s: %d bytes allocated, want at most %d", encoding, contentType, path, allocated, 20<<20)
				}
			}
		}
	}
	// A compressed WebSocket message has RSV1 set.
	const fin, rsv1 = 0x80, 0x40
	c := s.open("Sec-WebSocket-Extensions: permessage-deflate")
	c.WriteRaw(client.RawFrame(fin|rsv1|ws.OpText, bomb.Bytes()))
	if code := c.awaitClose(); code != 1002 {
		t.Errorf("compressed message: closed with %d, want 1002", code)
	}
}

// allocations returns how many bytes the process allocates while do runs.
func allocations(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
