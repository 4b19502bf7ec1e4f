package live

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"

	"burble/app/protocol"
	"burble/app/ws"
	"burble/streams"
)

// MaxRooms is the maximum number of rooms that a feed may follow.
const MaxRooms = 5000

// A Feed is a connection that follows rooms.
//
// An idle feed has no writing goroutine. When a feed has something to write, it is queued for the
// pumps, and one of them writes until nothing is left. Only pumps write entries, and at most one pump
// serves a feed at a time, which keeps entries in order.
type Feed struct {
	engine *Engine
	conn   net.Conn
	raw    syscall.RawConn // writes to conn without blocking; may be nil
	codec  Codec
	userID string // user of the connection; "" if the client has no name

	// OnRoomClosed, if set, is called when the user may no longer read a room, which the feed then no
	// longer follows. It must be set before the first Follow, and must not block.
	OnRoomClosed func(room string)

	mu        sync.Mutex // guards this group
	rooms     map[string]*followedRoom
	queue     []*followedRoom // rooms that may have something to read
	notices   notices
	isPumping bool // whether the feed is queued for the pumps or served by one
	isClosed  bool // whether HangUp was called; a closed feed is not pumped
	code      int  // close code
	reason    string
	pumping   sync.WaitGroup // done when isPumping becomes false

	writing   sync.Mutex // held during each write; guards this group
	isBroken  bool       // whether a write failed
	unwritten []byte     // to write first: the head, or the rest of a partly written frame
}

// followedRoom is a room that a feed follows.
type followedRoom struct {
	reader *streams.Reader
	format protocol.BatchFormat

	// Guarded by the feed's mu.
	isQueued     bool
	isUnfollowed bool
}

// Follow starts reading the room with the reader that open returns. It replaces an earlier reader of
// the same room. open must pass ready to the store, which calls it whenever there may be something to
// read.
func (f *Feed) Follow(room string, format protocol.BatchFormat, open func(ready func(*streams.Reader)) (*streams.Reader, error)) error {
	if !f.mayFollow(room) {
		return protocol.Errorf(protocol.BadField, "room", "A connection may follow at most %d rooms.", MaxRooms)
	}
	next := &followedRoom{format: format}
	reader, err := open(func(*streams.Reader) { f.queueRoom(next) })
	if err != nil {
		return err
	}
	f.Unfollow(room)
	f.mu.Lock()
	next.reader = reader // ready has no effect before this
	if f.isClosed {
		f.mu.Unlock()
		reader.Close()
		return nil
	}
	if f.rooms == nil {
		f.rooms = make(map[string]*followedRoom, 1)
	}
	f.rooms[room] = next
	f.mu.Unlock()
	f.queueRoom(next)
	return nil
}

// Unfollow stops reading a room. It does nothing if the feed does not follow the room.
func (f *Feed) Unfollow(room string) {
	f.mu.Lock()
	old := f.rooms[room]
	if old != nil {
		old.isUnfollowed = true
		delete(f.rooms, room)
	}
	f.mu.Unlock()
	if old != nil {
		old.reader.Close()
	}
}

// Follows reports whether the feed follows the room.
func (f *Feed) Follows(room string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rooms[room] != nil
}

// mayFollow reports whether the feed already follows the room, or follows fewer than MaxRooms rooms.
func (f *Feed) mayFollow(room string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.rooms) < MaxRooms || f.rooms[room] != nil
}

// queueRoom queues the room, because it may have something to read.
func (f *Feed) queueRoom(room *followedRoom) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if room.reader != nil && !room.isQueued && !room.isUnfollowed {
		room.isQueued = true
		f.queue = append(f.queue, room)
		f.startPump()
	}
}

// startPump queues the feed for the pumps, unless it is already queued or being served. The caller
// must hold mu.
func (f *Feed) startPump() {
	if !f.isPumping && !f.isClosed {
		f.isPumping = true
		f.pumping.Add(1)
		f.engine.pumps.push(f)
	}
}

// pump writes everything that is queued. ahead is nil if pump must not wait for Redis.
func (f *Feed) pump(ahead readAhead) {
	if f.drainQueue(ahead) {
		f.pumping.Done()
	}
}

// drainQueue writes notices and the entries of queued rooms until nothing is left. It never waits for the
// client, and it waits for Redis only if ahead is not nil. It returns false if another goroutine continues
// the work.
func (f *Feed) drainQueue(ahead readAhead) (done bool) {
	done = true // the result after a panic
	defer f.Recover()
	for {
		room, frame, ok := f.next()
		if !ok {
			return true
		}
		var head []byte
		if room != nil {
			if head, frame, ok = f.read(room, ahead); !ok {
				go f.continueReading()
				return false
			}
		}
		if rest, ok := f.tryWrite(head, frame); !ok {
			go f.continueWriting(rest, ahead)
			return false
		}
	}
}

// continueReading pumps on a worker, and waits for Redis as needed.
func (f *Feed) continueReading() {
	f.engine.workers.do(func() { f.pump(make(readAhead)) })
}

// continueWriting waits until the client has read rest, and then pumps.
func (f *Feed) continueWriting(rest []byte, ahead readAhead) {
	f.Write(rest)
	f.pump(ahead)
}

// Recover must be deferred. After a panic, it closes this connection instead of crashing the process.
// The client can reconnect with its cursor.
func (f *Feed) Recover() {
	if cause := recover(); cause != nil {
		f.engine.logPanic(cause)
		f.HangUp(ws.CloseInternal, errorReason)
	}
}

// next returns the notices to write, or else the next room to read. If there is neither, it ends the
// pump and returns false.
func (f *Feed) next() (room *followedRoom, notices []byte, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isClosed {
		f.isPumping = false
		return nil, nil, false
	}
	if notices = f.notices.take(f.codec); notices != nil {
		return nil, notices, true
	}
	for len(f.queue) > 0 {
		room = f.queue[0]
		if len(f.queue) == 1 {
			f.queue = f.queue[:0] // keeps the array, unlike [1:]
		} else {
			f.queue = f.queue[1:]
		}
		if room.isQueued = false; !room.isUnfollowed {
			return room, nil, true
		}
	}
	f.isPumping = false
	return nil, nil, false
}

// read reads a room once and returns one or two frames to write. It queues the room again unless
// the reader has reached the end. It returns false if the read would block and ahead is nil.
func (f *Feed) read(room *followedRoom, ahead readAhead) (head, frame []byte, ok bool) {
	read, err, ok := ahead.take(room)
	if !ok {
		read, ok = room.reader.TryNext()
	}
	if !ok && ahead == nil {
		f.queueRoom(room)
		return nil, nil, false
	}
	if !ok {
		ahead.start(f, room)
		read, err = room.reader.Next(f.engine.ctx)
	}
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			f.engine.log.Debug("cannot read a room", "room", room.reader.Room, "error", err)
		}
		return nil, nil, true
	}
	frame = f.encode(room, read)
	if read.Closed != "" {
		return f.closeRoom(room), frame, true
	}
	if read.Followed != nil { // write it together with the first entries if they are available now
		if next, ok := room.reader.TryNext(); ok {
			head, read, frame = frame, next, f.encode(room, next)
			if read.Closed != "" {
				return slices.Concat(f.closeRoom(room), head), frame, true
			}
		}
	}
	if !read.IsEmpty() && !read.AtEnd {
		f.queueRoom(room)
	}
	return head, frame, true
}

// closeRoom ends the reading of a room that the user may no longer read. It returns the queued
// notices. The caller must write them before the "closed" frame, because some may be about the room.
func (f *Feed) closeRoom(room *followedRoom) (notices []byte) {
	f.mu.Lock()
	notices = slices.Clone(f.notices.take(f.codec))
	isFollowed := !room.isUnfollowed
	if isFollowed {
		room.isUnfollowed = true
		delete(f.rooms, room.reader.Room)
	}
	f.mu.Unlock()
	room.reader.Close()
	if isFollowed && f.OnRoomClosed != nil {
		f.OnRoomClosed(room.reader.Room)
	}
	return notices
}

// encode encodes the result of a read for this connection. It returns nil if there is nothing to
// write.
func (f *Feed) encode(room *followedRoom, read streams.Read) []byte {
	switch {
	case read.Followed != nil:
		return f.codec.followed(room.reader.Room, read.Followed)
	case read.Batch != nil && read.Closed != "":
		return slices.Concat(f.codec.batch(read.Batch, room.format), f.codec.closed(room.reader.Room, read.Closed))
	case read.Batch != nil:
		return f.codec.batch(read.Batch, room.format)
	case read.Closed != "":
		return f.codec.closed(room.reader.Room, read.Closed)
	}
	return f.encodeSignals(room.reader.Room, read.Signals)
}

// encodeSignals encodes the signals for this connection. It sends read markers only to the user's own
// connections. Queued notices come first, because a queued list of people is older than the signals.
func (f *Feed) encodeSignals(room string, signals []*streams.Signal) (frames []byte) {
	f.mu.Lock()
	frames = slices.Clone(f.notices.take(f.codec))
	f.mu.Unlock()
	for _, signal := range signals {
		if signal.Kind != streams.MarkedRead || signal.User.ID == f.userID {
			frames = append(frames, f.codec.signal(room, signal)...)
		}
	}
	return frames
}
