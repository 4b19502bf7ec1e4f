package socket_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"burble/app/client"
	"burble/app/protocol"
	"burble/app/ws"
)

// frameHead returns the header of a frame of the given length, without a payload.
func frameHead(opcode byte, length int) []byte {
	head := binary.BigEndian.AppendUint64([]byte{fin | opcode, 0x80 | 127}, uint64(length))
	return append(head, 1, 2, 3, 4) // the mask
}

// Cases 9 and 10: the suite sends up to 16 MiB, but Burble accepts only 64 KiB. It refuses a larger
// message as soon as it has read the length.
func TestAutobahnLimits(t *testing.T) {
	t.Parallel()
	const accepted, tooBig, limit = "echo end | close 1000", "close 1009", protocol.MaxFrame
	var cases []autobahnCase
	for i, size := range []int{limit, limit + 1, 256 << 10, 1 << 20, 4 << 20, 16 << 20} {
		writes, want := frameHead(ws.OpText, size), tooBig
		if size <= limit {
			writes, want = text(padded(size)), accepted
		}
		cases = append(cases,
			autobahnCase{fmt.Sprintf("9.1.%d text of %d bytes", i+1, size), writes, want},
			autobahnCase{fmt.Sprintf("9.2.%d binary of %d bytes", i+1, size), client.RawFrame(fin|ws.OpBinary, make([]byte, min(size, limit))), "close 1003"})
	}
	for i, size := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 32 << 10, 64 << 10} {
		cases = append(cases,
			autobahnCase{fmt.Sprintf("9.3.%d text in frames of %d bytes", i+1, size), fragments(ws.OpText, split(padded(limit), size)...), accepted},
			autobahnCase{fmt.Sprintf("9.3.%d text in frames of %d bytes, one too long", i+1, size), fragments(ws.OpText, split(padded(limit+1), size)...), tooBig},
			autobahnCase{fmt.Sprintf("9.4.%d binary in frames of %d bytes", i+1, size), fragments(ws.OpBinary, split(padded(limit), size)...), "close 1003"})
	}
	cases = append(cases, autobahnCase{"10.1.1 text in frames of 1300 bytes", fragments(ws.OpText, split(padded(limit), 1300)...), accepted})
	runCases(t, cases)
}

// Cases 9.5 and 9.6: one frame in many small writes.
func TestAutobahnSmallWrites(t *testing.T) {
	t.Parallel()
	server := startServer(t, 0)
	for opcode, want := range map[byte]string{ws.OpText: "echo end | close 1000", ws.OpBinary: "close 1003"} {
		for i, size := range []int{64, 128, 256, 512, 1024, 2048} {
			t.Run(fmt.Sprintf("9.%d.%d writes of %d bytes", 4+opcode, i+1, size), func(t *testing.T) {
				c := connect(t, server)
				for part := range slices.Chunk(client.RawFrame(fin|opcode, []byte(padded(protocol.MaxFrame))), size) {
					c.write(part)
				}
				if got := c.responses(); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}

// Cases 9.7: many messages on one connection. The client waits for each answer.
func TestAutobahnRoundTrips(t *testing.T) {
	t.Parallel()
	server := startServer(t, 0)
	for i, size := range []int{0, 16, 64, 256, 1024, 4096} {
		t.Run(fmt.Sprintf("9.7.%d messages of %d bytes", i+1, size), func(t *testing.T) {
			c, message := connect(t, server), text(padded(size))
			for range 1000 {
				c.write(message)
				opcode, payload, err := c.readFrame()
				if got := describe(t, opcode, payload); got != "echo end" || err != nil {
					t.Fatalf("got %s, %v; want an echo", got, err)
				}
			}
			if got := c.responses(); got != "close 1000" {
				t.Errorf("got %s, want close code 1000", got)
			}
		})
	}
}
