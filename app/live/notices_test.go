package live

import (
	"slices"
	"testing"
)

func TestSingleNoticeIsNotCopied(t *testing.T) {
	t.Parallel()
	frame := []byte("present")
	n := notices{frames: [][]byte{frame}}
	if got := n.take(WebSocket); &got[0] != &frame[0] {
		t.Error("the frame was copied")
	}
	n = notices{frames: [][]byte{frame}, heartbeat: true}
	if got := n.take(WebSocket); string(got) != string(frame)+string(WebSocket.heartbeat()) || n.take(WebSocket) != nil {
		t.Errorf("took %q", got)
	}
}

func TestSlowClientGetsFirstAndLastStatus(t *testing.T) {
	t.Parallel()
	f := &Feed{isClosed: true} // a closed feed needs no pump
	for _, away := range []bool{true, false, true, false, true} {
		f.notifyStatus(away)
	}
	if !slices.Equal(f.notices.statuses, []bool{true, true}) {
		t.Errorf("got statuses %v, want [true true]", f.notices.statuses)
	}
}
