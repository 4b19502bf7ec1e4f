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

// expectFrame checks that raw is a single frame in its shortest encoding.
func expectFrame(t *testing.T, raw []byte, opcode gobwas.OpCode, payload []byte) {
	t.Helper()
	header, err := gobwas.ReadHeader(bytes.NewReader(raw))
	if err != nil || header.OpCode != opcode || !header.Fin || header.Masked || !bytes.HasSuffix(raw, payload) {
		t.Errorf("payload of %d bytes: header %+v, %v; want an unmasked final frame with opcode %d", len(payload), header, err, opcode)
	}
	if got, want := len(raw), gobwas.HeaderSize(header)+len(payload); got != want || header.Length != int64(len(payload)) {
		t.Errorf("payload of %d bytes: the frame has %d bytes, want %d", len(payload), got, want)
	}
}
