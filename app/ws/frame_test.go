package ws

import (
	"bytes"
	"testing"

	gobwas "github.com/gobwas/ws"
)

func TestFramesCanBeReadByAnotherImplementation(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 125, 126, 127, 65535, 65536, 300000} {
		payload := bytes.Repeat([]byte("x"), size)
		expectFrame(t, Text(payload), gobwas.OpText, payload)
	}
	expectFrame(t, CloseFrame(1012, "bye"), gobwas.OpClose, gobwas.NewCloseFrameBody(1012, "bye"))
}

// expectFrame checks that raw is a single frame, in the shortest encoding.
func expectFrame(t *testing.T, raw []byte, opcode gobwas.OpCode, payload []byte) {
	t.Helper()
	frame, err := gobwas.ReadFrame(bytes.NewReader(raw))
	if err != nil || frame.Header.OpCode != opcode || !frame.Header.Fin || frame.Header.Masked || !bytes.Equal(frame.Payload, payload) {
		t.Errorf("%d bytes: header %+v, %v", len(payload), frame.Header, err)
	}
	if got, want := len(raw), gobwas.HeaderSize(frame.Header)+len(payload); got != want {
		t.Errorf("%d bytes: the frame has %d bytes, want %d", len(payload), got, want)
	}
}
