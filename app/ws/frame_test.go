package ws

import (
	"bytes"
	"testing"

	fasthttpws "github.com/fasthttp/websocket"
)

// Other implementations must be able to read the frames.
func TestFramesMatchAnotherImplementation(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 125, 126, 127, 65535, 65536, 300000} {
		payload := bytes.Repeat([]byte("x"), size)
		frame := Text(payload)
		if frame[0] != 0x81 || !bytes.HasSuffix(frame, payload) || len(frame)-size > 10 || frame[1]&0x80 != 0 {
			t.Errorf("%d bytes: header % x", size, frame[:len(frame)-size])
		}
	}
	if got, want := CloseFrame(1012, "bye"), append([]byte{0x88, 5}, fasthttpws.FormatCloseMessage(1012, "bye")...); !bytes.Equal(got, want) {
		t.Errorf("close: % x, want % x", got, want)
	}
}
