package live

import (
	"fmt"
	"io"
	"testing"

	"burble/app/protocol"
	"burble/streams"
)

func TestFeedFollowsAtMostMaxRooms(t *testing.T) {
	t.Parallel()
	f := &Feed{rooms: map[string]*followedRoom{}}
	for i := range MaxRooms {
		f.rooms[fmt.Sprint(i)] = &followedRoom{}
	}
	opened := 0
	open := func(func(*streams.Reader)) (*streams.Reader, error) {
		opened++
		return nil, io.EOF // any error will do: this test only counts the calls
	}
	err := f.Follow("one-more", protocol.BatchFormat{}, open)
	if refused := protocol.AsError(err); refused.Code != protocol.BadField || refused.Field != "room" || opened != 0 {
		t.Errorf("following one room too many: error %v, opened %d times; want bad_field for room, and 0", err, opened)
	}
	if err := f.Follow("7", protocol.BatchFormat{}, open); err != io.EOF || opened != 1 {
		t.Errorf("following a room again: error %v, opened %d times; want EOF and 1", err, opened)
	}
}
