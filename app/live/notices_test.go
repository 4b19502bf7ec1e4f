package live

import (
	"slices"
	"strings"
	"testing"

	"burble/streams"
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
		t.Errorf("took %q, want the frame and a heartbeat, once", got)
	}
}

// A list of people may be queued after a pump has chosen the room whose signals it reads.
func TestQueuedListOfPeopleComesBeforeSignals(t *testing.T) {
	t.Parallel()
	f := &Feed{codec: WebSocket, isClosed: true, rooms: map[string]*followedRoom{"lobby": {}}}
	f.Notify("elsewhere", []byte("not sent"))
	f.Notify("lobby", []byte("present"))
	signals := []*streams.Signal{{Kind: streams.Came, User: streams.User{ID: "1", Name: "Ada"}}}
	got := string(f.encodeSignals("lobby", signals))
	if !strings.HasPrefix(got, "present") || !strings.HasSuffix(got, string(WebSocket.signal("lobby", signals[0]))) {
		t.Errorf("wrote %q, want the list of users first and the signal last", got)
	}
	if f.notices.take(WebSocket) != nil {
		t.Error("the list is still queued")
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
