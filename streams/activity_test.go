package streams_test

import (
	"context"
	"fmt"
	"testing"

	"burble/streams"
	"burble/streams/redistest"
)

// flood appends a room's first message, and then more activity than the activity stream keeps.
const flood = `
	redis.call('HSET', KEYS[1] .. ':meta', 'epoch', 'first', 'n', 1)
	local id = redis.call('XADD', KEYS[1], '*', 'kind', 'message', 'n', 1, 'key', 'k', 'uid', 'u', 'name', 'Eve', 'text', 'x')
	redis.call('XADD', KEYS[2], '*', 'room', 'lobby', 'at', id .. '@first')
	for _ = 1, 1200 do redis.call('XADD', KEYS[2], '*', 'room', 'another', 'at', id .. '@first') end
	return id`

func TestNewRoomInActivityFloodHasEpoch(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.nextState()
		follow(t, store, roomInSameBucket("lobby"), streams.Newest(0)).awaitTail(store) // now the tail also follows the lobby
		id, err := backend.Client.Eval(context.Background(), flood, []string{lobbyKey, activityKey}).Text()
		if err != nil {
			t.Fatal(err)
		}
		if f.expect(1); f.cursor.String() != id+"@first" {
			t.Errorf("got cursor %v, want %s@first", f.cursor, id)
		}
	})
}

// roomInSameBucket returns another room that shares the room's activity stream.
func roomInSameBucket(room string) string {
	for i := 0; ; i++ {
		if other := fmt.Sprint("room-", i); streams.ActivityKey(other) == streams.ActivityKey(room) {
			return other
		}
	}
}
