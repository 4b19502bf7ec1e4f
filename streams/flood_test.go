package streams_test

import (
	"context"
	"fmt"
	"testing"

	"burble/streams"
	"burble/streams/redistest"
)

// flood begins a room with one message, and then tells of more than activity keeps.
const flood = `
	redis.call('HSET', KEYS[1] .. ':meta', 'epoch', 'first', 'n', 1)
	local id = redis.call('XADD', KEYS[1], '*', 'kind', 'message', 'n', 1, 'key', 'k', 'uid', 'u', 'name', 'Eve', 'text', 'x')
	redis.call('XADD', KEYS[2], '*', 'room', 'lobby', 'at', id .. '@first')
	for _ = 1, 1200 do redis.call('XADD', KEYS[2], '*', 'room', 'another', 'at', id .. '@first') end
	return id`

func TestRoomThatBeginsInAFloodHasItsEpoch(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		f := follow(t, store, "lobby", streams.Newest(0))
		f.state()
		beside := ""
		for i := 0; streams.ActivityKey(beside) != activityKey; i++ {
			beside = fmt.Sprint("room-", i)
		}
		follow(t, store, beside, streams.Newest(0)).listens(store) // the tail has looked for lobby by then, too
		id, err := backend.Client.Eval(context.Background(), flood, []string{lobbyKey, activityKey}).Text()
		if err != nil {
			t.Fatal(err)
		}
		if f.has(1); f.at.String() != id+"@first" {
			t.Errorf("at %v, want %s@first", f.at, id)
		}
	})
}
