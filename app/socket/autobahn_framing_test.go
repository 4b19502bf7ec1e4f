package socket_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"burble/app/client"
	"burble/app/ws"
)

// Cases 1: framing. Burble accepts no binary messages, whatever their size.
func TestAutobahnFraming(t *testing.T) {
	t.Parallel()
	var cases []autobahnCase
	for i, size := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		message, want := padded(size), "echo end | close 1000"
		if size == 0 {
			message, want = "", "error bad_frame | close 1008" // not JSON
		}
		cases = append(cases,
			autobahnCase{fmt.Sprintf("1.1.%d text of %d bytes", i+1, size), text(message), want},
			autobahnCase{fmt.Sprintf("1.2.%d binary of %d bytes", i+1, size), client.RawFrame(fin|ws.OpBinary, make([]byte, size)), "close 1003"})
	}
	cases = append(cases, autobahnCase{"1.2.8 binary in two frames", fragments(ws.OpBinary, strings.Repeat("x", 997), strings.Repeat("x", 997)), "close 1003"})
	runCases(t, cases)
	t.Run("1.1.8 text of 65536 bytes in small writes", func(t *testing.T) {
		c := connect(t, startServer(t, 0))
		for part := range slices.Chunk(text(padded(65536)), 997) {
			c.write(part)
		}
		if got := c.responses(); got != "echo end | close 1000" {
			t.Errorf("got %s, want an echo and close code 1000", got)
		}
	})
}

// Cases 2: pings and pongs.
func TestAutobahnPings(t *testing.T) {
	t.Parallel()
	pong := func(payload string) []byte { return client.RawFrame(fin|ws.OpPong, []byte(payload)) }
	longest, binary := strings.Repeat("\xfe", 125), "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	var tenPings []byte
	tenPongs := ""
	for i := range 10 {
		tenPings = append(tenPings, ping(fmt.Sprint("payload-", i))...)
		tenPongs += fmt.Sprint("pong payload-", i, " | ")
	}
	runCases(t, []autobahnCase{
		{"2.1 ping without payload", ping(""), "pong  | close 1000"},
		{"2.2 ping with text", ping("Hello, world!"), "pong Hello, world! | close 1000"},
		{"2.3 ping with binary payload", ping(binary), "pong " + binary + " | close 1000"},
		{"2.4 ping of 125 bytes", ping(longest), "pong " + longest + " | close 1000"},
		{"2.5 ping of 126 bytes", ping(longest + "x"), "close 1002"},
		{"2.6 ten pings of 125 bytes", slices.Repeat(ping(longest), 10), strings.Repeat("pong "+longest+" | ", 10) + "close 1000"},
		{"2.7 unsolicited pong without payload", pong(""), "close 1000"},
		{"2.8 unsolicited pong", pong("unsolicited pong payload"), "close 1000"},
		{"2.9 unsolicited pong, then a ping", slices.Concat(pong("unsolicited"), ping("ping payload")), "pong ping payload | close 1000"},
		{"2.10 ten pings", tenPings, tenPongs + "close 1000"},
		{"2.11 ten pings, then a message", slices.Concat(tenPings, text(echoed("then"))), tenPongs + "echo then | close 1000"},
	})
}

// Cases 3: reserved bits, which belong to extensions that were not negotiated.
func TestAutobahnReservedBits(t *testing.T) {
	t.Parallel()
	hello, before := []byte(echoed("hello")), text(echoed("before"))
	runCases(t, []autobahnCase{
		{"3.1 RSV 1", client.RawFrame(fin|1<<4|ws.OpText, hello), "close 1002"},
		{"3.2 RSV 2, after a message", slices.Concat(before, client.RawFrame(fin|2<<4|ws.OpText, hello), ping("")), "echo before | close 1002"},
		{"3.3 RSV 3, after a message", slices.Concat(before, client.RawFrame(fin|3<<4|ws.OpText, hello), ping("")), "echo before | close 1002"},
		{"3.4 RSV 4, after a message", slices.Concat(before, client.RawFrame(fin|4<<4|ws.OpText, hello), ping("")), "echo before | close 1002"},
		{"3.5 RSV 5, binary", client.RawFrame(fin|5<<4|ws.OpBinary, hello), "close 1002"},
		{"3.6 RSV 6, ping", client.RawFrame(fin|6<<4|ws.OpPing, hello), "close 1002"},
		{"3.7 RSV 7, close", client.RawFrame(fin|7<<4|ws.OpClose, nil), "close 1002"},
	})
}

// Cases 4: reserved opcodes.
func TestAutobahnReservedOpcodes(t *testing.T) {
	t.Parallel()
	var cases []autobahnCase
	for group, first := range []byte{3, 11} {
		for i := range byte(5) {
			name := fmt.Sprintf("4.%d.%d opcode %d", group+1, i+1, first+i)
			reserved := client.RawFrame(fin|(first+i), []byte("reserved")[:8*(i%2)])
			cases = append(cases,
				autobahnCase{name, reserved, "close 1002"},
				autobahnCase{name + ", after a message", slices.Concat(text(echoed("before")), reserved, ping("")), "echo before | close 1002"})
		}
	}
	runCases(t, cases)
}

// Cases 5: fragmentation, and frames between fragments.
func TestAutobahnFragmentation(t *testing.T) {
	t.Parallel()
	message := echoed("fragment1fragment2")
	one, two := message[:18], message[18:]
	start := client.RawFrame(ws.OpText, []byte(one))
	more := client.RawFrame(opContinuation, []byte(one))
	end := client.RawFrame(fin|opContinuation, []byte(two))
	want := "echo fragment1fragment2 | close 1000"
	long := echoed("fragment1fragment2fragment3")
	first, rest := long[:10], long[10:]
	runCases(t, []autobahnCase{
		{"5.1 ping in two frames", fragments(ws.OpPing, "fragment1", "fragment2"), "close 1002"},
		{"5.2 pong in two frames", fragments(ws.OpPong, "fragment1", "fragment2"), "close 1002"},
		{"5.3 text in two frames", slices.Concat(start, end), want},
		{"5.4 text in two frames, in one write", fragments(ws.OpText, one, two), want},
		{"5.5 text in a frame for each byte", fragments(ws.OpText, split(message, 1)...), want},
		{"5.6 ping between two fragments", slices.Concat(start, ping("between"), end), "pong between | " + want},
		{"5.7 two pings between two fragments", slices.Concat(start, ping("one"), ping("two"), end), "pong one | pong two | " + want},
		{"5.8 ping between fragments of one byte", slices.Concat(client.RawFrame(ws.OpText, []byte(message[:1])), ping("x"),
			client.RawFrame(opContinuation, []byte(message[1:2])), client.RawFrame(fin, []byte(message[2:]))), "pong x | " + want},
		{"5.9 continuation of nothing, then text", slices.Concat(client.RawFrame(fin|opContinuation, []byte("non-continuation")), text(echoed("x"))), "close 1002"},
		{"5.10 continuation of nothing, then the start of a text", slices.Concat(end, start), "close 1002"},
		{"5.11 continuation of nothing, without payload", client.RawFrame(fin|opContinuation, nil), "close 1002"},
		{"5.12 unfinished continuation of nothing, then text", slices.Concat(more, text(echoed("x"))), "close 1002"},
		{"5.13 unfinished continuation of nothing, then its end", slices.Concat(more, end), "close 1002"},
		{"5.14 unfinished continuation of nothing, without payload", client.RawFrame(opContinuation, nil), "close 1002"},
		{"5.15 text in two frames, then a continuation", slices.Concat(start, end, more, text(echoed("x"))), "echo fragment1fragment2 | close 1002"},
		{"5.16 unfinished continuation, then text in two frames, twice", slices.Concat(more, start, end, more, start, end), "close 1002"},
		{"5.17 continuation, then text in two frames, twice", slices.Concat(end, start, end, end, start, end), "close 1002"},
		{"5.18 text within an unfinished text", slices.Concat(start, text(echoed("x"))), "close 1002"},
		{"5.19 five fragments, pings between", slices.Concat(client.RawFrame(ws.OpText, []byte(first)), client.RawFrame(opContinuation, []byte(rest[:5])), ping("one"),
			client.RawFrame(opContinuation, []byte(rest[5:9])), client.RawFrame(opContinuation, nil), ping("two"), client.RawFrame(fin, []byte(rest[9:]))),
			"pong one | pong two | echo fragment1fragment2fragment3 | close 1000"},
		{"5.20 fragments without payload around", fragments(ws.OpText, "", one, "", two, ""), want},
	})
}
