package web

import (
	"burble/app/protocol"
	"burble/app/ws"
	"bytes"
	"compress/gzip"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// allocated is how many bytes the process takes while something is done.
func allocated(do func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// A frame of 64 KiB may be anything, and is refused, or read, for a small multiple of it.
func TestWhatAFrameCostsIsBoundedByItsSize(t *testing.T) {
	fill := func(before, again, after string) string {
		return before + strings.Repeat(again, (protocol.MaxFrame-len(before)-len(after))/len(again)) + after
	}
	var keys strings.Builder
	for i := 0; keys.Len() < protocol.MaxFrame-20; i++ {
		fmt.Fprintf(&keys, `,"%x":0`, i)
	}
	for name, frame := range map[string]string{
		"arrays within arrays":       fill("", "[", ""),
		"objects within objects":     fill("", `{"type":`, ""),
		"whole arrays within":        strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"a number without end":       fill(`{"type":"follow","room":"lobby","last":`, "9", "}"),
		"an exponent without end":    fill(`{"type":"follow","room":"lobby","last":1e`, "9", "}"),
		"a field again and again":    fill(`{"type":"ping"`, `,"type":"ping"`, "}"),
		"many fields":                `{"type":"ping"` + keys.String() + "}",
		"a name without end":         fill(`{"`, "x", `":1}`),
		"escapes":                    fill(`{"type":"send","text":"`, `\u0000`, `"}`),
		"half surrogate pairs":       fill(`{"type":"send","text":"`, `\ud800`, `"}`),
		"escapes without end":        fill(`{"type":"send","text":"`, `\\`, ``),
		"spaces":                     fill("", " ", `{"type":"ping"}`),
		"numbers":                    fill("[", "1,", "1]"),
		"a text that is much longer": fill(`{"type":"send","room":"lobby","key":"`+aKey+`","text":"`, "a", `"}`),
	} {
		parse := func() { protocol.Parse([]byte(frame)) }
		parse()
		if cost := allocated(parse); cost > 64*protocol.MaxFrame {
			t.Errorf("%s: %d bytes for %d", name, cost, len(frame))
		}
	}
}

// What is compressed is refused as it is: nothing unpacks it.
func TestCompressedBombsAreNotUnpacked(t *testing.T) {
	s := startOne(t)
	ada := s.signIn("Ada")
	var bomb bytes.Buffer
	packed := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 60 {
		packed.Write(zeros)
	}
	packed.Close()
	if bomb.Len() > protocol.MaxFrame {
		t.Fatalf("the bomb has %d bytes", bomb.Len())
	}
	for _, path := range []string{"/r/lobby/messages", "/session"} {
		for _, kind := range []string{jsonKind, formKind, "text/plain"} {
			for _, encoding := range []string{"gzip", "deflate", "br", "x-gzip, gzip"} {
				cost := allocated(func() {
					got := s.request("POST", path, bomb.String(), ada.bearer(), "Content-Type: "+kind, "Content-Encoding: "+encoding, "Accept: text/html")
					if got.status != 415 {
						t.Errorf("%s of %s in %s: %d", encoding, kind, path, got.status)
					}
				})
				if cost > 20<<20 {
					t.Errorf("%s of %s in %s cost %d bytes", encoding, kind, path, cost)
				}
			}
		}
	}
	// On a socket it would be in a frame with RSV1 set.
	socket := s.raw(t, "Sec-WebSocket-Extensions: permessage-deflate")
	socket.write(rawFrame(fin|4<<4|ws.OpText, bomb.Bytes()))
	if got := socket.answers(); len(got) != 1 || got[0] != "close 1002" {
		t.Errorf("on a socket: %q", got)
	}
}
