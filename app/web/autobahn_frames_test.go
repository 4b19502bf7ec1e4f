package web

import (
	"burble/app/ws"
	"fmt"
	"net"
	"strings"
	"testing"
)

// Cases 1: framing. Burble takes no binary, whatever its size.
func TestAutobahnFraming(t *testing.T) {
	var cases []autobahnCase
	for i, size := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		message, want := sized(size), "echo end | close 1000"
		if size == 0 {
			message, want = "", "error bad_frame | close 1008" // which is no JSON
		}
		cases = append(cases,
			autobahnCase{fmt.Sprintf("1.1.%d text of %d bytes", i+1, size), text(message), want},
			autobahnCase{fmt.Sprintf("1.2.%d binary of %d bytes", i+1, size), rawFrame(fin|ws.OpBinary, make([]byte, size)), "close 1003"})
	}
	playCases(t, cases)
	t.Run("1.1.8 text of 65536 bytes, some at a time", func(t *testing.T) {
		socket := startOne(t).raw(t)
		socket.conn.(*net.TCPConn).SetNoDelay(true)
		frame := text(sized(65536))
		for len(frame) > 0 {
			some := min(len(frame), 997)
			socket.write(frame[:some])
			frame = frame[some:]
		}
		if got := strings.Join(socket.answers(), " | "); got != "echo end | close 1000" {
			t.Errorf("answered %s", got)
		}
	})
	t.Run("1.2.8 binary of 65536 bytes in frames", func(t *testing.T) {
		socket := startOne(t).raw(t)
		socket.write(fragments(ws.OpBinary, strings.Repeat("x", 997), strings.Repeat("x", 997)))
		if got := strings.Join(socket.answers(), " | "); got != "close 1003" {
			t.Errorf("answered %s", got)
		}
	})
}

// Cases 2: pings and pongs.
func TestAutobahnPings(t *testing.T) {
	pong := func(payload string) []byte { return rawFrame(fin|ws.OpPong, []byte(payload)) }
	long, binary := strings.Repeat("\xfe", 125), "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	var ten []byte
	tenPongs := ""
	for i := range 10 {
		ten = append(ten, ping(fmt.Sprint("payload-", i))...)
		tenPongs += fmt.Sprint("pong payload-", i, " | ")
	}
	var chopped []byte
	for range 10 {
		chopped = append(chopped, ping(long)...)
	}
	playCases(t, []autobahnCase{
		{"2.1 ping without payload", ping(""), "pong  | close 1000"},
		{"2.2 ping with text", ping("Hello, world!"), "pong Hello, world! | close 1000"},
		{"2.3 ping with bytes that are no text", ping(binary), "pong " + binary + " | close 1000"},
		{"2.4 ping of 125 bytes", ping(long), "pong " + long + " | close 1000"},
		{"2.5 ping of 126 bytes", ping(long + "x"), "close 1002"},
		{"2.6 pings of 125 bytes, one after the other", chopped, strings.Repeat("pong "+long+" | ", 10) + "close 1000"},
		{"2.7 pong that nobody asked for, without payload", pong(""), "close 1000"},
		{"2.8 pong that nobody asked for", pong("unsolicited pong payload"), "close 1000"},
		{"2.9 such a pong, then a ping", joined(pong("unsolicited"), ping("ping payload")), "pong ping payload | close 1000"},
		{"2.10 ten pings", ten, tenPongs + "close 1000"},
		{"2.11 ten pings before anything else", joined(ten, text(echoing("then"))), tenPongs + "echo then | close 1000"},
	})
}

// Cases 3: reserved bits, which belong to extensions that nobody agreed to.
func TestAutobahnReservedBits(t *testing.T) {
	hello, before := []byte(echoing("hello")), text(echoing("before"))
	playCases(t, []autobahnCase{
		{"3.1 RSV 1", rawFrame(fin|1<<4|ws.OpText, hello), "close 1002"},
		{"3.2 RSV 2, after a message", joined(before, rawFrame(fin|2<<4|ws.OpText, hello), ping("")), "echo before | close 1002"},
		{"3.3 RSV 3, after a message", joined(before, rawFrame(fin|3<<4|ws.OpText, hello), ping("")), "echo before | close 1002"},
		{"3.4 RSV 4, after a message", joined(before, rawFrame(fin|4<<4|ws.OpText, hello), ping("")), "echo before | close 1002"},
		{"3.5 RSV 5, binary", rawFrame(fin|5<<4|ws.OpBinary, hello), "close 1002"},
		{"3.6 RSV 6, ping", rawFrame(fin|6<<4|ws.OpPing, hello), "close 1002"},
		{"3.7 RSV 7, close", rawFrame(fin|7<<4|ws.OpClose, nil), "close 1002"},
	})
}

// Cases 4: opcodes that mean nothing.
func TestAutobahnReservedOpcodes(t *testing.T) {
	var cases []autobahnCase
	for group, first := range []byte{3, 11} {
		for i := range byte(5) {
			name := fmt.Sprintf("4.%d.%d opcode %d", group+1, i+1, first+i)
			payload := []byte("reserved")[:8*(i%2)]
			cases = append(cases,
				autobahnCase{name, rawFrame(fin|(first+i), payload), "close 1002"},
				autobahnCase{name + ", after a message", joined(text(echoing("before")), rawFrame(fin|(first+i), payload), ping("")), "echo before | close 1002"})
		}
	}
	playCases(t, cases)
}

// Cases 5: fragments, and what may stand between them.
func TestAutobahnFragmentation(t *testing.T) {
	whole := echoing("fragment1fragment2")
	one, two := whole[:18], whole[18:]
	start, more, end := rawFrame(ws.OpText, []byte(one)), rawFrame(opMore, []byte(one)), rawFrame(fin|opMore, []byte(two))
	said := "echo fragment1fragment2 | close 1000"
	five := echoing("fragment1fragment2fragment3")
	first, rest := five[:10], five[10:]
	playCases(t, []autobahnCase{
		{"5.1 ping in two frames", fragments(ws.OpPing, "fragment1", "fragment2"), "close 1002"},
		{"5.2 pong in two frames", fragments(ws.OpPong, "fragment1", "fragment2"), "close 1002"},
		{"5.3 text in two frames", joined(start, end), said},
		{"5.4 text in two frames, in one write", fragments(ws.OpText, one, two), said},
		{"5.5 text in a frame for each byte", fragments(ws.OpText, strings.Split(whole, "")...), said},
		{"5.6 a ping between", joined(start, ping("between"), end), "pong between | " + said},
		{"5.7 two pings between", joined(start, ping("one"), ping("two"), end), "pong one | pong two | " + said},
		{"5.8 a ping between frames of a byte", joined(rawFrame(ws.OpText, []byte(whole[:1])), ping("x"), rawFrame(opMore, []byte(whole[1:2])), rawFrame(fin, []byte(whole[2:]))), "pong x | " + said},
		{"5.9 continuation of nothing, whole", joined(rawFrame(fin|opMore, []byte("non-continuation")), text(echoing("x"))), "close 1002"},
		{"5.10 continuation of nothing, whole, with a message", joined(end, start), "close 1002"},
		{"5.11 continuation of nothing, whole, without payload", rawFrame(fin|opMore, nil), "close 1002"},
		{"5.12 continuation of nothing, not ended", joined(more, text(echoing("x"))), "close 1002"},
		{"5.13 continuation of nothing, not ended, with an end", joined(more, end), "close 1002"},
		{"5.14 continuation of nothing, not ended, without payload", rawFrame(opMore, nil), "close 1002"},
		{"5.15 a message in two frames, then a continuation", joined(start, end, more, text(echoing("x"))), "echo fragment1fragment2 | close 1002"},
		{"5.16 continuation, then text in two frames, twice", joined(more, start, end, more, start, end), "close 1002"},
		{"5.17 ended continuation, then text in two frames, twice", joined(end, start, end, end, start, end), "close 1002"},
		{"5.18 text within an unfinished text", joined(start, text(echoing("x"))), "close 1002"},
		{"5.19 five frames, pings between", joined(rawFrame(ws.OpText, []byte(first)), rawFrame(opMore, []byte(rest[:5])), ping("one"), rawFrame(opMore, []byte(rest[5:9])),
			rawFrame(opMore, nil), ping("two"), rawFrame(fin, []byte(rest[9:]))), "pong one | pong two | echo fragment1fragment2fragment3 | close 1000"},
		{"5.20 frames without payload around", fragments(ws.OpText, "", one, "", two, ""), said},
	})
}
