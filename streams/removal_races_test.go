//go:build unix

package streams_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"burble/streams"
	"burble/streams/redistest"

	"github.com/google/uuid"
)

// A tap intercepts the connections of a Store. It calls onPipeline with each pipeline that the Store is about to send,
// until onPipeline returns false.
type tap struct {
	addr       string
	onPipeline atomic.Pointer[func(pipeline []byte) (more bool)]
}

func (t *tap) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", t.addr)
	return tapped{conn, t}, err
}

type tapped struct {
	net.Conn
	tap *tap
}

func (c tapped) Write(pipeline []byte) (int, error) {
	if onPipeline := c.tap.onPipeline.Load(); onPipeline != nil && !(*onPipeline)(pipeline) {
		c.tap.onPipeline.CompareAndSwap(onPipeline, nil)
	}
	return c.Conn.Write(pipeline)
}

// beforeFirst calls action once, before the Store sends the first pipeline that contains both texts.
func (t *tap) beforeFirst(text, other string, action func()) {
	onPipeline := func(pipeline []byte) bool {
		if !bytes.Contains(pipeline, []byte(text)) || !bytes.Contains(pipeline, []byte(other)) {
			return true
		}
		t.onPipeline.Store(nil) // action may use the Store
		action()
		return false
	}
	t.onPipeline.Store(&onPipeline)
}

// newTapped returns a Store with a tap, and a private room with four members.
func newTapped(t *testing.T) (*tap, *streams.Store, string) {
	t.Helper()
	backend := redistest.Single(t)
	tap := &tap{addr: backend.Redis.Addrs[0]}
	options := *backend.Redis
	options.Dialer = tap.dial
	store := redistest.Open(t, streams.Options{Redis: &options})
	return tap, store, privateRoom(t, store, 4)
}

func writeMessage(t *testing.T, by streams.Access, room, text string, mentions ...string) {
	t.Helper()
	entry := streams.Entry{Kind: streams.Message, Key: uuid.NewString(), Text: text, Mentions: mentions}
	if _, err := by.Append(context.Background(), room, entry); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, by streams.Access, room string, n int) streams.Stored {
	t.Helper()
	stored, err := setMember(by, room, n, streams.NoRole)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func TestMemberRemovedDuringRequest(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("list of rooms", func(t *testing.T) {
		t.Parallel()
		tap, store, room := newTapped(t)
		if err := asAccount(store, 1).MarkRead(ctx, room, streams.ID{Millis: 1 << 50}); err != nil {
			t.Fatal(err)
		}
		writeMessage(t, asAccount(store, 0), room, "one")
		tap.beforeFirst("xrevrange\r", room, func() {
			remove(t, asAccount(store, 0), room, 1)
			writeMessage(t, asAccount(store, 0), room, "secret")
		})
		rooms, err := asAccount(store, 1).Rooms(ctx, 10)
		if err != nil || len(rooms) > 0 {
			t.Errorf("got %+v, %v, want no rooms", rooms, err)
		}
	})
	t.Run("typing", func(t *testing.T) {
		t.Parallel()
		tap, store, room := newTapped(t)
		tap.beforeFirst("typing", room, func() { remove(t, asAccount(store, 0), room, 1) })
		if err := asAccount(store, 1).Signal(ctx, room, streams.Typing); !errors.Is(err, streams.ErrHidden) {
			t.Errorf("got error %v, want ErrHidden", err)
		}
	})
}

// If a removed member is added again, the room stays in their list of rooms, even if the removal is retried.
func TestRetriedRemovalKeepsRoomOfReadmittedMember(t *testing.T) {
	t.Parallel()
	redistest.RunReal(t, func(t *testing.T, backend redistest.Backend) {
		store := redistest.Open(t, streams.Options{Redis: backend.Redis})
		room := privateRoom(t, store, 2)
		removal := streams.Entry{Kind: streams.MemberChanged, Key: uuid.NewString(), Member: account(1), Role: streams.NoRole}
		for range 2 {
			if _, err := asAccount(store, 0).Append(t.Context(), room, removal); err != nil {
				t.Fatal(err)
			}
			if _, err := setMember(asAccount(store, 0), room, 1, streams.Ordinary); err != nil && !errors.Is(err, streams.ErrNotModerator) {
				t.Fatal(err)
			}
		}
		if _, err := asAccount(store, 0).Append(t.Context(), room, removal); err != nil {
			t.Fatal(err)
		}
		rooms, err := asAccount(store, 1).Rooms(t.Context(), 10)
		if err != nil || len(rooms) != 1 {
			t.Errorf("got the rooms %v, %v, want one", rooms, err)
		}
	})
}

// Signals that are sent after a removal do not reach the removed reader, even if its server reads the
// removal and the signals at the same time.
func TestRemovedReaderGetsNoLaterSignals(t *testing.T) {
	t.Parallel()
	const readers = 40
	backend := redistest.Single(t)
	store, other := redistest.Open(t, streams.Options{Redis: backend.Redis}), redistest.Open(t, streams.Options{Redis: backend.Redis})
	room := privateRoom(t, other, readers+1)
	watcher := followAs(t, asAccount(store, 0), room, streams.Newest(0))
	watcher.nextState()
	for n := 1; n <= readers; n++ {
		reader := followAs(t, asAccount(store, n), room, streams.Newest(0))
		reader.nextState()
		reading := make(chan struct{})
		go func() {
			defer close(reading)
			reader.readUntil("the end", func() bool { return reader.closed != "" })
		}()
		writeMessage(t, asAccount(other, 0), room, "wake the tail, which then pauses")
		remove(t, asAccount(other, 0), room, n)
		if err := asAccount(other, 0).Signal(t.Context(), room, streams.Typing); err != nil {
			t.Fatal(err)
		}
		<-reading
		if len(reader.signals) > 0 {
			t.Errorf("reader %d: got %d signals, want none", n, len(reader.signals))
		}
		watcher.nextSignal(streams.Typing)
	}
}

// A removed reader whose cursor is older than all entries is notified of the gap, and then ends with its
// removal.
func TestRemovedReaderFarBehindAfterTrim(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		after     int // number of messages after the removal; the room keeps 100 entries
		isTrimmed bool
	}{
		"removal kept": {20, false}, "removal trimmed": {200, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := redistest.Single(t)
			store := redistest.Open(t, streams.Options{Redis: backend.Redis, MaxCount: 100})
			room := privateRoom(t, store, 2)
			fillRoom(t, backend.Client, room, 1500, func(int) string { return "old" })
			f := followAs(t, asAccount(store, 1), room, streams.After(streams.Cursor{}))
			for len(f.entries) == 0 { // unlike readUntil, this reads only one batch
				f.next()
			}
			for range 20 {
				writeMessage(t, asAccount(store, 0), room, "kept")
			}
			removed := remove(t, asAccount(store, 0), room, 1)
			for range test.after {
				writeMessage(t, asAccount(store, 0), room, "secret")
			}
			f.readUntil("the end", func() bool { return f.closed != "" })
			if f.closed != streams.Removed {
				t.Errorf("closed %q, want removed", f.closed)
			}
			last := f.entries[len(f.entries)-1]
			if removed.Cursor.ID.Before(last.ID) {
				t.Errorf("the reader got %q, which was stored after the removal", last.Text)
			}
			if test.isTrimmed { // where the reader ends depends on how much it read before the trim
				return
			}
			if last.ID != removed.Cursor.ID || f.states[len(f.states)-1].State != streams.Truncated {
				t.Errorf("the reader ends with %v %q and states %v, want the removal %v after a gap", last.ID, last.Kind, f.states, removed.Cursor)
			}
		})
	}
}

// If Redis loses all of a room's keys, the room's readers end as if it had been deleted.
func TestReaderOfLostHiddenRoom(t *testing.T) {
	t.Parallel()
	backend := redistest.Single(t)
	store := redistest.Open(t, streams.Options{Redis: backend.Redis})
	room := privateRoom(t, store, 2)
	f := followAs(t, asAccount(store, 1), room, streams.Newest(10))
	f.expect(3)
	key := streams.RoomKey(room)
	backend.Client.Del(t.Context(), key, key+":meta", key+":members")
	f.readUntil("the end", func() bool { return f.closed != "" })
	if f.closed != streams.Deleted {
		t.Errorf("closed %q, want deleted", f.closed)
	}
}

// During a failover, a server may read entries from the new primary, but memberships from the old one, which
// lacks a removal.
func TestOldPrimaryDoesNotAdmitRemovedMember(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]streams.From{"newest": streams.Newest(10), "end": streams.Newest(0)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, successor := redistest.StartTCP(t), redistest.StartTCP(t)
			before, after := clientOf(t, old), clientOf(t, successor)
			var hasSwitched atomic.Bool
			options := old.Redis()
			options.Protocol = 2 // the connection to the successor has no handshake
			options.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
				toOld, err := (&net.Dialer{}).DialContext(ctx, "tcp", old.Addr)
				if err != nil {
					return nil, err
				}
				toNew, err := (&net.Dialer{}).DialContext(ctx, "tcp", successor.Addr)
				return &halfway{Conn: toOld, old: toOld, new: toNew, hasSwitched: &hasSwitched}, err
			}
			store := redistest.Open(t, streams.Options{Redis: options})
			room := privateRoom(t, store, 3)
			early := followAs(t, asAccount(store, 2), room, streams.Newest(20)) // creates the window
			early.expect(4)
			key := streams.RoomKey(room)
			replicate(t, before, after, old.Addr, func() bool { return after.XLen(t.Context(), key).Val() == 4 })

			onSuccessor := redistest.Open(t, streams.Options{Redis: successor.Redis()})
			remove(t, asAccount(onSuccessor, 0), room, 1)
			for i := range 20 {
				writeMessage(t, asAccount(onSuccessor, 0), room, fmt.Sprint("secret ", i))
			}
			hasSwitched.Store(true)
			f := followAs(t, asAccount(store, 1), room, from)
			for range 10 {
				if read, err := f.next(); err == nil && !read.IsEmpty() {
					t.Fatalf("got %+v, want an error, or nothing", read)
				}
			}
			f.reader.Close()
			hasSwitched.Store(false)
		})
	}
}

// halfway is a connection of a Store. While hasSwitched is set, the failover is only half complete: lookups of members and
// blocking reads reach the old primary, and everything else reaches the new one.
type halfway struct {
	net.Conn
	old, new    net.Conn
	hasSwitched *atomic.Bool
}

func (c *halfway) Write(pipeline []byte) (int, error) {
	c.Conn = c.old
	if c.hasSwitched.Load() && !bytes.Contains(pipeline, []byte(":members")) && !bytes.Contains(pipeline, []byte("xread\r")) {
		c.Conn = c.new
	}
	return c.Conn.Write(pipeline)
}

func (c *halfway) Close() error { return errors.Join(c.old.Close(), c.new.Close()) }
