package ws

import (
	"bytes"
	"slices"
	"testing"

	gobwas "github.com/gobwas/ws"
)

// clientFrame returns a masked frame, as clients send it.
func clientFrame(t *testing.T, opcode gobwas.OpCode, fin bool, payload string) []byte {
	t.Helper()
	var frame bytes.Buffer
	if err := gobwas.WriteFrame(&frame, gobwas.MaskFrame(gobwas.NewFrame(opcode, fin, []byte(payload)))); err != nil {
		t.Fatal(err)
	}
	return frame.Bytes()
}

// A caller of Reader limits the time for a whole message. A client must not get more time by splitting
// a message into frames with pings between them.
func TestWaitReportsFragments(t *testing.T) {
	t.Parallel()
	input := slices.Concat(
		clientFrame(t, gobwas.OpText, false, "a"), clientFrame(t, gobwas.OpContinuation, false, ""),
		clientFrame(t, gobwas.OpPong, true, ""), clientFrame(t, gobwas.OpContinuation, false, "b"), clientFrame(t, gobwas.OpContinuation, true, "c"),
	)
	var waits []bool
	overhead, controls := 0, 0
	reader := NewReader(bytes.NewReader(input), 64<<10)
	reader.Wait = func(fragmented bool) error { waits = append(waits, fragmented); return nil }
	reader.Control = func(byte, []byte) { controls++ }
	reader.Overhead = func() { overhead++ }
	message, whole, err := reader.Next()
	if string(message) != "abc" || !whole || err != nil {
		t.Errorf("Next = %q, %v, %v; want abc, true, nil", message, whole, err)
	}
	if !slices.Equal(waits, []bool{false, true, true, true, true}) || overhead != 4 || controls != 1 {
		t.Errorf("waits %v, overhead %d, control frames %d; want one wait for a whole message and four for fragments, 4 and 1", waits, overhead, controls)
	}
}
