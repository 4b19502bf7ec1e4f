package web

import (
	"burble/app/protocol"
	"burble/app/ws"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// inFrames is a message in frames of at most so many bytes.
func inFrames(opcode byte, message string, size int) []byte {
	var parts []string
	for part := range slices.Chunk([]byte(message), size) {
		parts = append(parts, string(part))
	}
	return fragments(opcode, parts...)
}

// announced is the beginning of a frame of that length, and no payload.
func announced(opcode byte, length int) []byte {
	frame := []byte{fin | opcode, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}
	for i := range 8 {
		frame[9-i] = byte(length >> (8 * i))
	}
	return frame
}

// Cases 9 and 10: Burble takes 64 KiB where the suite sends up to 16 MiB, and what is
// above that it refuses when it is announced.
func TestAutobahnLimits(t *testing.T) {
	const said, tooBig, limit = "echo end | close 1000", "close 1009", protocol.MaxFrame
	var cases []autobahnCase
	for i, size := range []int{limit, limit + 1, 256 << 10, 1 << 20, 4 << 20, 16 << 20} {
		writes, want := announced(ws.OpText, size), tooBig
		if size <= limit {
			writes, want = text(sized(size)), said
		}
		cases = append(cases,
			autobahnCase{fmt.Sprintf("9.1.%d text of %d bytes", i+1, size), writes, want},
			autobahnCase{fmt.Sprintf("9.2.%d binary of %d bytes", i+1, size), rawFrame(fin|ws.OpBinary, make([]byte, min(size, limit))), "close 1003"})
	}
	for i, size := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 32 << 10, 64 << 10} {
		cases = append(cases,
			autobahnCase{fmt.Sprintf("9.3.%d text in frames of %d bytes", i+1, size), inFrames(ws.OpText, sized(limit), size), said},
			autobahnCase{fmt.Sprintf("9.3.%d too much text in frames of %d bytes", i+1, size), inFrames(ws.OpText, sized(limit+1), size), tooBig},
			autobahnCase{fmt.Sprintf("9.4.%d binary in frames of %d bytes", i+1, size), inFrames(ws.OpBinary, sized(limit), size), "close 1003"})
	}
	cases = append(cases, autobahnCase{"10.1.1 text in frames of 1300 bytes", inFrames(ws.OpText, sized(limit), 1300), said})
	playCases(t, cases)
}

// Cases 9.5 and 9.6: a frame that comes some bytes at a time.
func TestAutobahnChops(t *testing.T) {
	s := startOne(t)
	for opcode, want := range map[byte]string{ws.OpText: "echo end | close 1000", ws.OpBinary: "close 1003"} {
		for i, size := range []int{64, 128, 256, 512, 1024, 2048} {
			t.Run(fmt.Sprintf("9.%d.%d %d bytes at a time", 4+opcode, i+1, size), func(t *testing.T) {
				socket := s.raw(t)
				for chop := range slices.Chunk(rawFrame(fin|opcode, []byte(sized(protocol.MaxFrame))), size) {
					socket.write(chop)
				}
				if got := strings.Join(socket.answers(), " | "); got != want {
					t.Errorf("answered %s, want %s", got, want)
				}
			})
		}
	}
}

// Cases 9.7: many messages on one connection, each answered before the next.
func TestAutobahnRoundTrips(t *testing.T) {
	s := startOne(t)
	for i, size := range []int{0, 16, 64, 256, 1024, 4096} {
		t.Run(fmt.Sprintf("9.7.%d messages of %d bytes", i+1, size), func(t *testing.T) {
			socket, message := s.raw(t), text(sized(size))
			for range 1000 {
				socket.write(message)
				opcode, payload, err := socket.frame()
				if got := named(t, opcode, payload); got != "echo end" || err != nil {
					t.Fatalf("answered %s, %v", got, err)
				}
			}
			if got := socket.answers(); len(got) != 1 || got[0] != "close 1000" {
				t.Errorf("answered %q", got)
			}
		})
	}
}
